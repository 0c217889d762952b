"""SHORT version of `make load`: twice as many customers as places on each database, with a flood and slow callers."""

from pathlib import Path

import pytest
from rush import HOURS, Plan, run

PLACES, CUSTOMERS, FLOOD, READ = 2, 12, 80, 60


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_more_customers_than_places_are_all_answered_and_the_places_are_all_taken(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    url = request.getfixturevalue(f"stocked_{engine}_url")
    outcome = await run(Plan(url, CUSTOMERS, PLACES, a_second=30, slow=10, flood=FLOOD, patience=60), tmp_path)
    assert outcome.unanswered == []
    assert (outcome.in_the_books, outcome.overbooked) == (PLACES * len(HOURS), 0)
    assert (outcome.booked, outcome.turned_away) == (PLACES * len(HOURS), CUSTOMERS - PLACES * len(HOURS))
    assert 0 < outcome.flood_answered <= READ + 1
    assert outcome.peak < outcome.idle + 60
    assert "Traceback" not in outcome.log
