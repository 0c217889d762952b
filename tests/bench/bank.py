"""Midtrans' stand-in in a process of its own, with orders that were paid.

stdin   how many orders, and what each is for: "COUNT AMOUNT"; its end ends the process
stdout  where it listens and the transaction_id of each order, as JSON: {"port": 8080, "transactions": ["…", …]}
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
    """The order of that number."""
    return f"BOOKING-A1-BK{number:06}-1"


async def main() -> None:
    """Take the orders, have them paid, and answer."""
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
