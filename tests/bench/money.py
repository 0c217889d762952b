"""Settling notifications compared with a floor, and the nightly reconciliation with the Midtrans stand-in.

settled   webhook -> kept -> status call -> entry, invoice, receipt and messages committed
floor     a bare handler that commits an entry and what its booking has paid
"""

import asyncio
import json
import math
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, process_time_ns
from typing import Any, NamedTuple

from aiohttp import web
from bank import SERVER_KEY, order_id
from dialogue import MONDAY_8_AM
from history import BATCH, booking_row
from rest import Send, load
from served import SHOP, clock, listening, prepare
from sqlalchemy import func, select, update

from bot.app import chance
from bot.payments.midtrans_client import Midtrans
from bot.payments.payment_worker import PaymentWorker
from bot.payments.reconciliation_worker import Reconciler
from bot.transactions import Transactions
from core.db.database import Database, insert_into
from core.db.tables import Booking, Contact, Customer, LedgerEntry, PaymentAttempt, PaymentNotification, PaymentRequest
from core.payment.reconciliation_run import MIN_PERIOD
from core.states import BookingStatus, PaymentStatus, RequestState
from webhooks import midtrans
from webhooks.midtrans import signature

ROUNDS = 2
NOTIFICATIONS = 24
"""Per round, over `CONNECTIONS` connections."""
CONNECTIONS = 8
REQUESTS = 10_000
"""In the nightly reconciliation; `LOST` of them lack their notification."""
LOST = 100
PRICE = 150_000
PAGE_BYTES = 4096


class Rate(NamedTuple):
    """Notifications per second, and the server's CPU time per notification (ms)."""

    rate: float
    cpu: float


class Night(NamedTuple):
    """Cost of a reconciliation: seconds, CPU milliseconds per request, and additional megabytes."""

    seconds: float
    cpu: float
    megabytes: float


@asynccontextmanager
async def bank(count: int) -> AsyncIterator[tuple[Midtrans, Sequence[str]]]:
    """Run the stand-in with this many paid orders; yields a client and the transaction ids."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("bank.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{count} {PRICE}\n".encode())
    payload = json.loads(await process.stdout.readline())
    url = f"http://127.0.0.1:{payload['port']}"
    vendor = Midtrans(server_key=SERVER_KEY, client_key="", production=False, snap_url=f"{url}/snap/v1", api_url=url)
    yield vendor, payload["transactions"]
    vendor.close()
    process.stdin.close()
    await process.wait()


# --- notifications ---------------------------------------------------------------------------------


async def settle(database: Database) -> tuple[Rate, Rate]:
    """Cost of the floor and of a notification: medians of alternating rounds."""
    count, done = NOTIFICATIONS * (ROUNDS + 1), asyncio.Event()
    await prepare(database)
    async with bank(count) as (vendor, transactions), load() as send, _collecting(database, vendor, done) as port:
        await _fill(database, transactions, lost=count)
        async with listening(_floor(database)) as floor:
            floors, settled = [], []
            for number in range(ROUNDS + 1):
                posts = _notifications(number * NOTIFICATIONS + 1, transactions)
                floors.append(await _round(database, send, floor, [_posted("/floor", each) for each in posts], done))
                settled.append(await _round(database, send, port, [_posted(_WEBHOOK, each) for each in posts], done))
    await _check(database, count)
    return _middle(floors[1:]), _middle(settled[1:])  # the first rounds warm up


_WEBHOOK = "/api/payment/webhook"


@asynccontextmanager
async def _collecting(database: Database, vendor: Midtrans, done: asyncio.Event) -> AsyncIterator[int]:
    """Run the webhook and the payment worker; yields the port."""
    collector = PaymentWorker(
        Transactions(database, SHOP, clock), vendor, finish_url="", chance=chance, wake_dispatch=done.set
    )
    working = asyncio.create_task(collector.run())
    app = web.Application()
    app.add_routes(midtrans.routes(database, server_key=SERVER_KEY, clock=clock, wake=collector.wake))
    async with listening(app) as port:
        yield port
    collector.stop()
    await working


def _floor(database: Database) -> web.Application:
    async def receive(request: web.Request) -> web.Response:
        payload = await request.json()
        async with database.write() as session:
            booking = int(payload["order_id"][len("BOOKING-A1-BK") : -len("-1")])
            nothing = {"order_id": None, "transaction_id": None, "kind": "floor", "amount": 0}
            session.add(LedgerEntry(**_entry(booking, payload["transaction_id"]) | nothing))
            await session.execute(update(Booking).where(Booking.id == booking).values(paid_amount=0))
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/floor", receive)])
    return app


async def _round(database: Database, send: Send, port: int, posts: Sequence[str], done: asyncio.Event) -> Rate:
    begin, worked = perf_counter(), process_time_ns()
    await send(port, posts, CONNECTIONS)
    while await _waiting(database):
        await done.wait()
        done.clear()
    return Rate(len(posts) / (perf_counter() - begin), (process_time_ns() - worked) / len(posts) / 1e6)


async def _waiting(database: Database) -> int:
    async with database.read() as session:
        due = select(func.count()).where(PaymentNotification.due_at.is_not(None))
        return await session.scalar(due) or 0


async def _check(database: Database, count: int) -> None:
    async with database.read() as session:
        paid = select(func.count()).where(Booking.status == BookingStatus.CONFIRMED, Booking.paid_amount == PRICE)
        if (confirmed := await session.scalar(paid)) != count:
            raise RuntimeError(f"{confirmed} of {count} bookings are confirmed")


def _middle(rounds: Sequence[Rate]) -> Rate:
    return Rate(median(each.rate for each in rounds), median(each.cpu for each in rounds))


def _notifications(first: int, transactions: Sequence[str]) -> list[Mapping[str, str]]:
    amount = f"{PRICE}.00"
    return [
        {
            "order_id": order_id(number),
            "transaction_id": transactions[number - 1],
            "transaction_status": "settlement",
            "status_code": "200",
            "gross_amount": amount,
            "currency": "IDR",
            "payment_type": "bank_transfer",
            "signature_key": signature(order_id(number), "200", amount, SERVER_KEY),
        }
        for number in range(first, first + NOTIFICATIONS)
    ]


def _posted(path: str, body: Mapping[str, str]) -> str:
    content = json.dumps(body)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n{content}"


# --- the nightly reconciliation ------------------------------------------------------------------------------------


async def compare_night(database: Database, vendor: Midtrans, transactions: Sequence[str]) -> Night:
    """Reconcile all requests without a rate limit."""
    await prepare(database)
    await _fill(database, transactions, lost=LOST)
    reconciler = Reconciler(Transactions(database, SHOP, clock), vendor, wake=lambda: None, per_second=math.inf)
    before, watched = _resident(), [0.0]
    watching = asyncio.create_task(_watch(watched))
    begin, worked, asked, mended, after = perf_counter(), process_time_ns(), 0, 0, ""
    while True:
        page = await reconciler.page(MONDAY_8_AM - MIN_PERIOD, after)
        asked, mended, after = asked + page.findings.asked, mended + page.findings.mended, page.after
        if page.is_last or page.trouble:
            break
    seconds, cpu = perf_counter() - begin, (process_time_ns() - worked) / 1e6
    watching.cancel()
    if (asked, mended) != (len(transactions), LOST):
        raise RuntimeError(f"{asked} compared, {mended} mended; {page.trouble}")
    return Night(seconds, cpu / asked, max(watched) - before)


async def _watch(seen: list[float]) -> None:
    while True:
        seen.append(_resident())
        await asyncio.sleep(0.1)


def _resident() -> float:
    """Resident memory of this process, in megabytes."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE_BYTES / 1e6


# --- data ------------------------------------------------------------------------------------------


async def _fill(database: Database, transactions: Sequence[str], *, lost: int) -> None:
    """Insert a booking and its payment request for each transaction; all but the first `lost` are paid."""
    numbered = list(enumerate(transactions, 1))
    paid = numbered[lost:]
    contact = {"id": 1, "channel": "telegram", "address": "1", "customer_id": 1, "created_at": MONDAY_8_AM}
    async with database.write() as session:
        for table, rows in (
            (Customer, [{"id": 1, "created_at": MONDAY_8_AM}]),
            (Contact, [contact]),
            (Booking, [_booking(number, is_paid=number > lost) for number, _ in numbered]),
            (PaymentRequest, [_request(number, is_paid=number > lost) for number, _ in numbered]),
            (PaymentAttempt, [_attempt(number, transaction) for number, transaction in paid]),
            (LedgerEntry, [_entry(number, transaction) for number, transaction in paid]),
        ):
            for begin in range(0, len(rows), BATCH):
                await session.execute(insert_into(session, table), rows[begin : begin + BATCH])


def _booking(number: int, *, is_paid: bool) -> dict[str, Any]:
    waiting = {"status": BookingStatus.PENDING, "payment_status": PaymentStatus.PENDING}
    now = {"status": BookingStatus.CONFIRMED, "paid_amount": PRICE} if is_paid else waiting | {"paid_amount": 0}
    return booking_row(number, MONDAY_8_AM + MIN_PERIOD, None) | now | {"contact_id": 1}


def _request(number: int, *, is_paid: bool) -> dict[str, Any]:
    return {
        "order_id": order_id(number),
        "booking_id": number,
        "purpose": "full",
        "amount": PRICE,
        "channels": ["bca_va"],
        "state": RequestState.PAID if is_paid else RequestState.OPEN,
        "token": f"token-{number}",
        "created_at": MONDAY_8_AM,
        "expires_at": MONDAY_8_AM + MIN_PERIOD,
        "due_at": None if is_paid else MONDAY_8_AM + MIN_PERIOD,
    }


def _attempt(number: int, transaction: str) -> dict[str, Any]:
    return {
        "transaction_id": transaction,
        "order_id": order_id(number),
        "status": "settlement",
        "method": "bank_transfer",
        "amount": PRICE,
        "first_seen_at": MONDAY_8_AM,
        "changed_at": MONDAY_8_AM,
        "answer": {},
    }


def _entry(number: int, transaction: str) -> dict[str, Any]:
    return {
        "booking_id": number,
        "order_id": order_id(number),
        "transaction_id": transaction,
        "kind": "received",
        "reference": transaction,
        "amount": PRICE,
        "method": "bank_transfer",
        "at": MONDAY_8_AM,
        "evidence": {},
    }
