"""One of several server processes on one PostgreSQL.

stdin   the database's URL; the process ends at EOF
stdout  the port; then each processed update and its time: "UPDATE_ID MOMENT" per line
"""

# ruff: noqa: T201

import asyncio
import sys
from time import perf_counter_ns

import served

from core.db.database import Database


async def main() -> None:
    """Serve until EOF."""
    database = Database(sys.stdin.readline().strip())
    async with served.shop(database, lambda update_id: print(update_id, perf_counter_ns(), flush=True)) as port:
        print(port, flush=True)
        await asyncio.to_thread(sys.stdin.read)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())
