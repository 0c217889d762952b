"""One of several processes of the shop, on one PostgreSQL.

stdin   the database's URL; its end ends the process
stdout  first the port it listens on; then which update was done, and when: "UPDATE_ID MOMENT" a line
"""

# ruff: noqa: T201

import asyncio
import sys
from time import perf_counter_ns

import served

from core.db.database import Database


async def main() -> None:
    """Serve until told to end."""
    database = Database(sys.stdin.readline().strip())
    async with served.shop(database, lambda update_id: print(update_id, perf_counter_ns(), flush=True)) as port:
        print(port, flush=True)
        await asyncio.to_thread(sys.stdin.read)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())
