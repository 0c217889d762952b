"""SHORT version of `make load`: thirty customers for nine places on each database, with a flood and slow callers."""

from pathlib import Path

import pytest
from crowd import FLOOD
from rush import HOURS, Plan, run

PLACES = 3


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_more_customers_than_places_are_all_answered_and_the_places_are_all_taken(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    url = request.getfixturevalue(f"stocked_{engine}_url")
    outcome = await run(Plan(url, customers=30, places=PLACES, a_second=30, slow=10, patience=8), tmp_path)
    assert outcome.unanswered == []
    assert (outcome.in_the_books, outcome.overbooked) == (PLACES * len(HOURS), 0)
    assert (outcome.booked, outcome.turned_away) == (PLACES * len(HOURS), 30 - PLACES * len(HOURS))
    assert 0 < outcome.flood_answered < FLOOD / 2
    assert outcome.peak < outcome.idle + 60
    assert "Traceback" not in outcome.log
