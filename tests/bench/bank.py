"""The Midtrans stand-in in its own process, with paid orders.

stdin   number and amount of the orders: "COUNT AMOUNT"; the process ends at EOF
stdout  its port and the transaction_id of each order, as JSON: {"port": 8080, "transactions": ["…", …]}
"""

# ruff: noqa: T201

import asyncio
import json
import sys

from aiohttp import web
from served import clock, listening

from bot.sandbox.midtrans import MidtransStandIn, routes

SERVER_KEY = "SB-Mid-server-bench"


def order_id(number: int) -> str:
    return f"BOOKING-A1-BK{number:06}-1"


async def main() -> None:
    """Create and pay the orders, then serve."""
    count, amount = map(int, sys.stdin.readline().split())
    account = MidtransStandIn(server_key=SERVER_KEY, merchant="bench", clock=clock)
    paid = [await _pay(account, number, amount) for number in range(1, count + 1)]
    app = web.Application()
    app.add_routes(routes(account))
    async with listening(app) as port:
        print(json.dumps({"port": port, "transactions": paid}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def _pay(account: MidtransStandIn, number: int, amount: int) -> str:
    details = {"order_id": order_id(number), "gross_amount": amount}
    return (await account.pay(account.create({"transaction_details": details}).token)).id


if __name__ == "__main__":
    asyncio.run(main())
