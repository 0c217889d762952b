"""`make load`: a thousand customers for three hundred places, on each database; exits with 1 if a promise is broken.

CUSTOMERS=100 PLACES=10 A_SECOND=5 make load
"""

import asyncio
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))  # the shared test helpers

from databases import Aside, Postgres, Sqlite
from rush import HOURS, Plan, run


def main() -> int:
    """Run on both databases; returns 1 if a promise was broken."""
    customers, places, a_second = (
        int(os.environ.get(name) or usual) for name, usual in (("CUSTOMERS", 1000), ("PLACES", 100), ("A_SECOND", 8))
    )
    _say(
        f"{customers} customers for {places} places in each of {len(HOURS)} hours, {a_second} a second, a tenth at once"
    )
    aside, kept = Aside(), True
    with TemporaryDirectory(prefix="bengkel-load-") as folder:
        postgres, sqlite = Postgres(aside), Sqlite(Path(folder), aside)
        try:
            for name, url in (("SQLite", sqlite.put_back("stocked")), ("PostgreSQL", postgres.put_back("stocked"))):
                plan = Plan(url, customers, places, a_second, burst=customers // 10, slow=100, flood=300)
                kept &= _judged(name, plan, Path(folder) / name)
        finally:
            postgres.stop()
            aside.stop()
    _say("All promises kept." if kept else "PROMISES BROKEN, see above.")
    return 0 if kept else 1


def _judged(name: str, plan: Plan, folder: Path) -> bool:
    folder.mkdir()
    began = time.monotonic()
    outcome = asyncio.run(run(plan, folder))
    _say(f"\n{name} ({time.monotonic() - began:.0f} s)")
    for line in outcome.lines:
        _say(f"  {line}")
    broken = outcome.broken(plan)
    for promise in broken[:10]:
        _say(f"  BROKEN {promise}")
    return not broken


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 the report


if __name__ == "__main__":
    sys.exit(main())
