"""Short version of `make crash`: two kills on each database, seeded; and the negative control, which must fail."""

from datetime import timedelta
from pathlib import Path

import pytest
from rounds import Plan, run

SEED = 20261123


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_kills_lose_and_double_nothing(request: pytest.FixtureRequest, tmp_path: Path, engine: str) -> None:
    url = request.getfixturevalue(f"stocked_{engine}_url")
    plan = Plan(url, SEED, kills=2, held_for=timedelta(seconds=5))
    print(f"seed {plan.seed}")  # noqa: T201 shown when it fails
    outcome = await run(plan, tmp_path)
    assert not outcome.verdict.broken, "\n".join(outcome.verdict.broken)
    fates = ("turned away", "completed", "cancelled")
    assert all(outcome.verdict.counts[f"customers: {fate}"] for fate in fates), outcome.verdict.counts


async def test_control_messages_after_the_commit_are_lost(stocked_sqlite_url: str, tmp_path: Path) -> None:
    """Kills between the two commits leave messages without an answer."""
    plan = Plan(
        stocked_sqlite_url,
        SEED,
        kills=2,
        rivals=("telegram",) * 3,
        patience=timedelta(seconds=4),
        program="careless",
    )
    outcome = await run(plan, tmp_path)
    assert any("was never answered" in broken for broken in outcome.verdict.broken)
