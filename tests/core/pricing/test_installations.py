"""How often a service is done for the parts that are ordered with it."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.installations import times_of


@dataclass(frozen=True)
class Work:
    category: str
    installs: list[str] = field(default_factory=list)


WORKS = {
    "coaxial": Work("installation", ["speaker"]),
    "component": Work("installation", ["speaker"]),
    "power": Work("installation", ["amplifier", "kabel"]),
    "box": Work("upgrade", ["subwoofer"]),
    "tuning": Work("consultation"),
}


@pytest.mark.parametrize(
    ("chosen", "pieces", "otherwise", "times"),
    [
        pytest.param(["coaxial"], {"speaker": 2}, {}, {"coaxial": 2}, id="two pairs of speakers"),
        pytest.param(["coaxial"], {"speaker": 2}, {"coaxial": 1}, {"coaxial": 1}, id="the customer says otherwise"),
        pytest.param(["coaxial", "coaxial"], {"speaker": 4}, {}, {"coaxial": 2}, id="listed twice says so, too"),
        pytest.param(["coaxial"], {}, {}, {"coaxial": 1}, id="own parts"),
        pytest.param(["coaxial"], {"subwoofer": 3}, {}, {"coaxial": 1}, id="parts that it doesn't install"),
        pytest.param(
            ["coaxial", "component"], {"speaker": 2}, {}, {"coaxial": 1, "component": 1}, id="one each, not two each"
        ),
        pytest.param(
            ["coaxial", "component"], {"speaker": 3}, {}, {"coaxial": 2, "component": 1}, id="as many as pieces"
        ),
        pytest.param(["power"], {"amplifier": 1, "kabel": 3}, {}, {"power": 1}, id="cables belong to the amplifier"),
        pytest.param(["power"], {"kabel": 2}, {}, {"power": 2}, id="cables alone"),
        pytest.param(["box", "tuning"], {"subwoofer": 2}, {}, {"box": 1, "tuning": 1}, id="no installation"),
        pytest.param(["tuning"], {}, {"box": 2}, {"tuning": 1}, id="a service that isn't chosen"),
    ],
)
def test_quantity_multiplies_its_installation(
    chosen: list[str], pieces: dict[str, int], otherwise: dict[str, int], times: dict[str, int]
) -> None:
    assert times_of(chosen, WORKS, pieces, otherwise) == times


@given(
    chosen=st.lists(st.sampled_from(sorted(WORKS)), max_size=4),
    pieces=st.dictionaries(st.sampled_from(["speaker", "amplifier", "kabel"]), st.integers(0, 20)),
)
def test_every_chosen_service_is_done_at_least_once(chosen: list[str], pieces: dict[str, int]) -> None:
    times = times_of(chosen, WORKS, pieces, {})
    assert times.keys() == set(chosen)
    assert all(count >= 1 for count in times.values())
