"""Where on-site jobs are done."""

from typing import Any

import pytest
from pydantic import ValidationError
from shops import make_shop

from core.refusals import OutsideDistricts, Refusal, TooFarAway
from core.schedule import service_area

KEMANG, BANDUNG = (-6.26, 106.81), (-6.9175, 107.6191)
RADIUS = {"onsite_radius_km": 15}
DISTRICTS = {"onsite_districts": ("Kemang", "Kebayoran Baru")}


@pytest.mark.parametrize(
    ("area", "pin", "address", "refused"),
    [
        pytest.param({}, BANDUNG, None, None, id="no area: everywhere"),
        pytest.param(RADIUS, KEMANG, None, None, id="near"),
        pytest.param(RADIUS, BANDUNG, None, TooFarAway, id="far"),
        pytest.param(RADIUS, None, "Jl. Braga 1, Bandung", None, id="an address can't be measured"),
        pytest.param(DISTRICTS, None, "Jl. Kemang Raya 8", None, id="a listed district"),
        pytest.param(DISTRICTS, None, "jl wijaya 2, KEBAYORAN  BARU.", None, id="in any spelling of case and space"),
        pytest.param(DISTRICTS, None, "Jl. Braga 1, Bandung", OutsideDistricts, id="another town"),
        pytest.param(DISTRICTS, None, "Jl. Kemanggisan 3", OutsideDistricts, id="a word that begins like one"),
        pytest.param(DISTRICTS, BANDUNG, "Jl. Kemang Raya 8", None, id="no radius: the pin's address counts"),
        pytest.param(DISTRICTS, KEMANG, None, OutsideDistricts, id="a pin without address, and no radius"),
        pytest.param(DISTRICTS, None, "jl wijaya 2 kebayoranbaru", None, id="two words written as one"),
        pytest.param({"onsite_districts": ["Pasarminggu"]}, None, "Jl. X, Ps, Pasar-Minggu 12520", None, id="or apart"),
        pytest.param(
            {"onsite_districts": ["Pasar Minggu"]}, None, "Pasar baru, minggu", OutsideDistricts, id="not near"
        ),
        pytest.param(RADIUS | DISTRICTS, BANDUNG, "Kemang", TooFarAway, id="the pin counts before words"),
        pytest.param(RADIUS | DISTRICTS, KEMANG, "Jl. X", None, id="near, whatever the words"),
        pytest.param(RADIUS | DISTRICTS, None, "Bandung", OutsideDistricts, id="both, and an address"),
    ],
)
def test_places_outside_the_area_are_refused(
    area: dict[str, Any], pin: tuple[float, float] | None, address: str | None, refused: type[Refusal] | None
) -> None:
    latitude, longitude = pin or (None, None)
    at = {"address": address, "latitude": latitude, "longitude": longitude}
    if refused is None:
        service_area.check(make_shop(**area), **at)
    else:
        with pytest.raises(refused):
            service_area.check(make_shop(**area), **at)


def test_distances_are_kilometres() -> None:
    assert service_area.distance_km(KEMANG, KEMANG) == 0
    assert 110 < service_area.distance_km(KEMANG, BANDUNG) < 120


def test_a_radius_needs_the_shops_coordinates() -> None:
    with pytest.raises(ValidationError, match="onsite_radius_km needs"):
        make_shop(onsite_radius_km=10, latitude=None)
