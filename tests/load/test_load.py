"""Short version of `make load`: twice as many customers as places on each database, with a flood and slow clients."""

from pathlib import Path

import pytest
from rush import Plan, run


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_every_customer_is_answered_under_load(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    url = request.getfixturevalue(f"stocked_{engine}_url")
    few = {"customers": 12, "places": 2, "a_second": 30, "burst": 6}
    plan = Plan(url, **few, slow=10, flood=80, patience=60, mostly=20, memory=60)
    outcome = await run(plan, tmp_path)
    assert not outcome.broken(plan), outcome.lines
    assert outcome.turned_away
    assert len(outcome.flood)
