"""`make crash`: kills the real server under load, ROUNDS times in each setup; the negative control must fail.

SEED=7 ROUNDS=30 make crash
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))  # the shared test helpers

from databases import Aside, Postgres, Sqlite
from rounds import Outcome, Plan, run

BOTH = ("telegram", "telegram", "whatsapp", "whatsapp")


def main() -> int:
    """Run every setup; returns 1 if a promise was broken or the control wasn't caught."""
    seed = int(os.environ.get("SEED") or int.from_bytes(os.urandom(3)))
    rounds = int(os.environ.get("ROUNDS") or 10)
    _say(f"SEED={seed} ROUNDS={rounds}\n")
    with _databases() as (sqlite, postgres):
        plan = Plan("", seed, rounds, rivals=BOTH, hours_at_once=2)
        good = [
            not _broken("SQLite", replace(plan, database_url=sqlite.put_back("stocked"))),
            not _broken("PostgreSQL", replace(plan, database_url=postgres.put_back("stocked"))),
            not _broken(
                "PostgreSQL, two processes, either of them killed",
                replace(plan, database_url=postgres.put_back("stocked"), processes=2),
            ),
            not _broken(
                "PostgreSQL, two processes, Telegram polled",
                replace(plan, database_url=postgres.put_back("stocked"), processes=2, mode="polling"),
            ),
        ]
        control = replace(
            plan,
            database_url=sqlite.put_back("stocked"),
            program="careless",
            kills=8,
            rivals=("telegram",) * 3,
            hours_at_once=1,
            patience=timedelta(seconds=20),
        )
        broken = _broken("control: messages written after the commit (must leave some unanswered)", control)
        caught = any("was never answered" in promise for promise in broken)
    _say("All promises kept." if all(good) else "PROMISES BROKEN, see above.")
    _say("The control was caught." if caught else "THE CONTROL WASN'T CAUGHT: this harness finds no faults.")
    return 0 if all(good) and caught else 1


def _broken(name: str, plan: Plan) -> list[str]:
    began = time.monotonic()
    with TemporaryDirectory(prefix="bengkel-crash-") as folder:
        outcome = asyncio.run(run(plan, Path(folder)))
    _report(name, outcome, time.monotonic() - began)
    return outcome.verdict.broken


def _report(name: str, outcome: Outcome, seconds: float) -> None:
    verdict = outcome.verdict
    _say(f"{name} ({seconds:.0f} s)")
    for what, count in verdict.counts.items():
        _say(f"  {count:6} {what}")
    _say(f"  {outcome.slowest:6.1f} s, the longest wait for an answer")
    for promise in verdict.broken:
        _say(f"  BROKEN {promise}")
    _say("")


@contextmanager
def _databases() -> Iterator[tuple[Sqlite, Postgres]]:
    aside = Aside()
    with TemporaryDirectory(prefix="bengkel-crash-") as folder:
        postgres = Postgres(aside)
        try:
            yield Sqlite(Path(folder), aside), postgres
        finally:
            postgres.stop()
            aside.stop()


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 the report


if __name__ == "__main__":
    sys.exit(main())
