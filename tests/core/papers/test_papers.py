"""Receipts and credit notes: one for each payment, and for whatever is billed no more; what was issued stays as it is."""

import asyncio
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paying import CODE, ORDER, PRICE, answer, book, booking_of, give_link
from sqlalchemy import Executable, func, select, text, update
from sqlalchemy.exc import DBAPIError
from workshop import INSTALL, SPEAKER

from core import payment, work
from core.booking import cancel, record_no_show
from core.context import Context
from core.db.database import Database
from core.db.tables import CreditNote, Invoice, LedgerEntry, Outbox, Receipt
from core.papers import credit_notes, invoices, numbering, receipts
from core.pricing.prices import ppn
from core.refusals import NotFound
from core.schedule import bookings
from core.shop import Shop
from core.states import CreditReason, Location, PaymentMethod, RefundState

RINA = "Ibu Rina"
NEVER = "a paper is never changed or deleted"


class Till:
    """Money and cancellations of one booking, each in a transaction of its own, at one clock."""

    def __init__(self, database: Database, shop: Shop, now: datetime) -> None:
        self.database, self.shop, self.now = database, shop, now

    async def book(self, **asked: Any) -> None:
        await book(self.database, self.shop, self.now, **asked)
        if asked.get("method") is not PaymentMethod.COD:
            await give_link(self.database, ORDER, self.shop, self.now)

    async def pay(self, amount: int = PRICE, status: str = "settlement", **more: Any) -> str:
        told = answer(status=status, amount=amount, payment_type="gopay", **more)
        async with self.database.write() as session:
            return await payment.settle(Context(session, self.shop, self.now), ORDER, told)

    async def cash(self, amount: int) -> None:
        async with self.database.write() as session:
            booking = await bookings.load(session, code=CODE)
            await work.receive_cash(Context(session, self.shop, self.now), booking, amount, actor=RINA)

    async def cancel(self, actor: str = bookings.CUSTOMER) -> None:
        async with self.database.write() as session:
            booking = await bookings.load(session, code=CODE)
            await cancel(Context(session, self.shop, self.now), booking, reason="", actor=actor)

    async def no_show(self) -> None:
        async with self.database.write() as session:
            booking = await bookings.load(session, code=CODE)
            await record_no_show(Context(session, self.shop, self.now), booking, actor="Andi")

    async def add_cost(self, amount: int) -> None:
        async with self.database.write() as session:
            booking = await bookings.load(session, code=CODE)
            ctx = Context(session, self.shop, self.now)
            await work.add_cost(ctx, booking, "Kabel", amount, agreed=True, photo=None, actor="Andi")

    async def finish(self) -> None:
        async with self.database.write() as session:
            for step in (work.start, work.complete):
                booking = await bookings.load(session, code=CODE)
                await step(Context(session, self.shop, self.now), booking, actor="Andi")

    async def receipts(self) -> list[receipts.ReceiptFacts]:
        async with self.database.read() as session:
            names = (await numbering.of_booking(session, await bookings.load(session, code=CODE))).receipts
            return [await receipts.load(session, name) for name in names]

    async def notes(self) -> list[credit_notes.CreditNoteFacts]:
        async with self.database.read() as session:
            names = (await numbering.of_booking(session, await bookings.load(session, code=CODE))).credit_notes
            return [await credit_notes.load(session, name) for name in names]

    async def billed(self) -> tuple[int, int, int]:
        """Invoices less credit notes: total, DPP, PPN."""
        async with self.database.read() as session:
            issued = list(await session.scalars(select(Invoice.facts)))
            off = list(await session.scalars(select(CreditNote.facts)))
        total, base, tax = (
            sum(each[name] for each in issued) - sum(each[name] for each in off)
            for name in ("total", "tax_base", "tax_amount")
        )
        return total, base, tax

    async def sent(self) -> dict[str, Any]:
        """What was attached in the chat and the mails, by key."""
        async with self.database.read() as session:
            rows = await session.scalars(select(Outbox).order_by(Outbox.id))
            return {row.key: row.body.get("document") for row in rows if row.address in ("5001", "sari@example.com")}


@pytest.fixture
def till(database: Database, shop: Shop, now: datetime) -> Till:
    return Till(database, shop, now)


# --- receipts --------------------------------------------------------------------------------------


async def test_each_payment_has_a_receipt_refunds_have_none(till: Till) -> None:
    await till.book(percent=30)
    await till.pay(45_000)
    await till.pay(45_000)  # told twice
    await till.cash(5_000)
    await till.cash(100_000)
    await till.cancel(actor=RINA)
    shown = [(each.number, each.amount, each.purpose, each.method, each.remaining) for each in await till.receipts()]
    assert shown == [
        ("KW/2026/00001", 45_000, "down_payment", "gopay", 105_000),
        ("KW/2026/00002", 5_000, "part", "cash", 100_000),
        ("KW/2026/00003", 100_000, "rest", "cash", 0),
    ]
    first, second, _ = await till.receipts()
    assert (first.invoice, second.invoice) == (None, "INV/2026/00001")
    assert (first.customer_name, first.booking_code, first.total, second.paid) == ("Sari", CODE, PRICE, 50_000)


async def test_all_at_once_is_a_payment_in_full(till: Till) -> None:
    await till.book()
    await till.pay()
    assert [(each.purpose, each.remaining) for each in await till.receipts()] == [("whole", 0)]


async def test_money_for_a_cancelled_booking_has_a_receipt_too(till: Till) -> None:
    await till.book()
    await till.cancel()
    await till.pay()
    assert [each.purpose for each in await till.receipts()] == ["late"]
    assert await till.notes() == [], "there was no invoice"


async def test_first_payment_brings_the_invoice_later_ones_receipts(till: Till) -> None:
    await till.book(percent=30)
    await till.pay(45_000)
    await till.cash(5_000)
    sent = await till.sent()
    invoice, receipt = {"kind": "invoice", "id": CODE}, {"kind": "receipt", "id": f"{CODE}.2"}
    assert (sent[f"paid:{ORDER}"], sent[f"paid:{ORDER}:email"]) == (invoice, invoice)
    assert (sent[f"cash:{CODE}:1"], sent[f"cash:{CODE}:1:email"]) == (receipt, receipt)


async def test_rivals_and_rollbacks_leave_no_gap_between_receipts(till: Till) -> None:
    till.shop = till.shop.model_copy(update={"max_unpaid_bookings": 6})
    codes = [f"BK-00000{number}" for number in range(1, 7)]
    for number, code in enumerate(codes):
        await till.book(code=code, method=PaymentMethod.COD, starts_at=_later(till, hours=24 * (number // 2)))

    async def pay(code: str, *, fails: bool) -> None:
        try:
            async with till.database.write() as session:
                booking = await bookings.load(session, code=code)
                await work.receive_cash(Context(session, till.shop, till.now), booking, 10_000, actor=RINA)
                if fails:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    await asyncio.gather(*(pay(code, fails=number % 3 == 0) for number, code in enumerate(codes)))
    async with till.database.read() as session:
        numbers = sorted(await session.scalars(select(Receipt.number)))
        entries = await session.scalar(select(func.count()).select_from(LedgerEntry))
    assert numbers == [f"KW/2026/0000{number}" for number in range(1, 5)]
    assert entries == 4


# --- credit notes ----------------------------------------------------------------------------------


CANCELLED: dict[str, tuple[dict[str, Any], int, timedelta, str, int]] = {
    # asked, paid, how long before the start, by whom, what stays billed
    "in time, all comes back": ({}, PRICE, timedelta(hours=26), bookings.CUSTOMER, 0),
    "by the shop, all comes back": ({"percent": 50}, 75_000, timedelta(hours=1), RINA, 0),
    "the customer never came": ({"percent": 50}, 75_000, timedelta(hours=-1), CreditReason.NO_SHOW, 75_000),
}


@pytest.mark.parametrize("why", CANCELLED)
async def test_all_but_what_the_shop_keeps_is_credited(till: Till, why: str) -> None:
    asked, paid, before, actor, keeps = CANCELLED[why]
    await till.book(**asked)
    await till.pay(paid)
    till.now = (await booking_of(till.database)).starts_at - before
    await (till.no_show() if actor == CreditReason.NO_SHOW else till.cancel(actor))
    [note] = await till.notes()
    assert (note.number, note.keeps, note.total) == ("NK/2026/00001", keeps, PRICE - keeps)
    assert note.reason == ("no_show" if actor == CreditReason.NO_SHOW else "cancelled")
    assert [(each.number, each.total) for each in note.invoices] == [("INV/2026/00001", PRICE)]
    assert (await till.billed())[0] == keeps == (await booking_of(till.database)).paid_amount - await _owed(till)
    key = "no-show" if actor == CreditReason.NO_SHOW else "cancelled"
    assert (await till.sent())[f"{key}:{CODE}"] == {"kind": "credit_note", "id": CODE}


async def test_late_cancellation_keeps_its_share_of_ppn(till: Till) -> None:
    till.shop = till.shop.model_copy(update={"charge_ppn": True})
    await till.book(parts=((SPEAKER, 1),), services=(INSTALL,), percent=30)
    booked = await booking_of(till.database)
    paid = -(-booked.total_price * 30 // 100)
    await till.pay(paid)
    till.now = booked.starts_at - timedelta(hours=3)
    await till.cancel()
    [note] = await till.notes()
    assert 0 < note.keeps <= paid
    total, base, tax = await till.billed()
    assert total == note.keeps
    assert abs(tax - booked.tax_amount * total / booked.total_price) <= 0.5
    assert abs(base - booked.tax_base * total / booked.total_price) <= 0.5


async def test_open_costs_are_invoiced_then_credited(till: Till) -> None:
    await till.book()
    await till.pay()
    await till.add_cost(30_000)
    await till.cancel(RINA)
    [note] = await till.notes()
    assert [each.total for each in note.invoices] == [PRICE, 30_000]
    assert (note.total, (await till.billed())[0]) == (PRICE + 30_000, 0)


async def test_refund_after_the_job_sends_a_credit_note(till: Till) -> None:
    """Somebody refunds in Midtrans' dashboard; the second answer tells the same and more."""
    await till.book()
    await till.pay()
    await till.finish()
    some = [{"refund_key": "goodwill", "refund_amount": "20000.00"}]
    for _ in range(2):
        await till.pay(status="partial_refund", refund_amount="20000.00", refunds=some)
    assert [(note.reason, note.total, note.keeps) for note in await till.notes()] == [("refunded", 20_000, 130_000)]
    assert (await till.sent())[f"credited:{CODE}"] == {"kind": "credit_note", "id": CODE}
    more = [*some, {"refund_key": "again", "refund_amount": "5000.00"}]
    await till.pay(status="partial_refund", refund_amount="25000.00", refunds=more)
    second = (await till.notes())[1]
    assert (second.number, second.credited_before, second.total) == ("NK/2026/00002", 20_000, 5_000)
    assert (await till.billed())[0] == (await booking_of(till.database)).paid_amount == 125_000


async def test_a_chargeback_is_still_owed_and_credits_nothing(till: Till) -> None:
    await till.book()
    await till.pay()
    await till.finish()
    await till.pay(status="chargeback")
    assert await till.notes() == []
    assert (await till.billed())[0] == PRICE


async def test_late_money_refunded_credits_nothing_more(till: Till) -> None:
    await till.book(percent=30)
    await till.pay(45_000)
    await till.cancel(RINA)
    async with till.database.write() as session:
        for refund in await payment.refunds_of(session, await bookings.load(session, code=CODE)):
            refund.state = RefundState.BY_HAND
    async with till.database.write() as session:
        [refund] = await payment.refunds_of(session, await bookings.load(session, code=CODE))
        await payment.record_transfer(Context(session, till.shop, till.now), refund.key, by=RINA)
    assert len(await till.notes()) == 1
    assert (await till.billed())[0] == 0


async def test_invoice_shows_credits_and_nothing_to_pay(till: Till) -> None:
    await till.book(percent=30)
    await till.pay(45_000)
    await till.cancel(RINA)
    async with till.database.read() as session:
        facts, shown = await invoices.load(session, CODE)
    assert facts.total == PRICE
    assert [(each.kind, each.amount) for each in shown] == [("received", 45_000), ("credited", PRICE)]
    assert shown[1].method == "NK/2026/00001"


@pytest.mark.parametrize("kind", ["receipt", "credit_note"])
async def test_a_paper_that_was_never_issued_is_not_found(till: Till, kind: str) -> None:
    await till.book()
    await till.pay()
    await till.cancel(RINA)
    async with till.database.read() as session:
        for name in ("BK-NONE", f"{CODE}.1", f"{CODE}.2", f"{CODE}.x", ""):
            with pytest.raises(NotFound):
                await numbering.find(session, KINDS[kind], name)


@given(
    prices=st.lists(st.integers(1, 10**9), min_size=1, max_size=3),
    kept=st.lists(st.fractions(0, 1), min_size=1, max_size=4),
    charged=st.booleans(),
)
def test_credit_notes_leave_what_is_kept_and_its_ppn(prices: list[int], kept: list[Fraction], *, charged: bool) -> None:
    """However many invoices and notes there are, nothing is rounded twice."""
    billed = [_billed(price, *(ppn(price) if charged else (0, 0))) for price in prices]
    total, tax = sum(each.total for each in billed), sum(each.tax_amount for each in billed)
    notes: list[credit_notes.CreditNoteFacts] = []
    for keeps in sorted({int(share * total) for share in kept}, reverse=True):
        off = credit_notes.taken_off(billed, notes, keeps)
        assert min(off.values()) >= 0
        notes.append(credit_notes.CreditNoteFacts.model_construct(**off))
        assert total - sum(note.total for note in notes) == keeps
        assert abs(tax - sum(note.tax_amount for note in notes) - Fraction(tax * keeps, total)) <= Fraction(1, 2)


def _billed(price: int, base: int, tax: int) -> invoices.InvoiceFacts:
    return invoices.InvoiceFacts.model_construct(total=price + tax, tax_base=base, tax_amount=tax)


# --- written once ----------------------------------------------------------------------------------


KINDS: dict[str, type[Invoice] | type[Receipt] | type[CreditNote]] = {
    "invoice": Invoice,
    "receipt": Receipt,
    "credit_note": CreditNote,
}


@pytest.mark.parametrize("table", KINDS)
async def test_database_refuses_to_change_papers(till: Till, table: str) -> None:
    await till.book()
    await till.pay()
    await till.cancel(RINA)
    kind = KINDS[table]
    async with till.database.read() as session:
        [facts] = await session.scalars(select(kind.facts))
    changes: list[Executable] = [
        text(f"DELETE FROM {table}"),
        text(f"UPDATE {table} SET number = 'X/1'"),
        update(kind).values(issued_at=till.now + timedelta(days=1)),
        update(kind).values(facts={**facts, "shop_name": "Bengkel Lain"}),
        update(kind).values(facts={**facts, "customer_name": "Budi"}),
        update(kind).values(facts={name: value for name, value in facts.items() if name != "shop_name"}),
        update(kind).values(facts={**facts, "more": 1}),
    ]
    for change in changes:
        with pytest.raises(DBAPIError, match=NEVER):
            async with till.database.write() as session:
                await session.execute(change)
    async with till.database.write() as session:  # but a person can be erased
        erased = {**facts, "customer_name": "-", "customer_email": None, "plate": None}
        await session.execute(update(kind).values(facts=erased))
        assert (await session.scalars(select(kind.facts))).one() == erased


# --- PPN -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "base", "tax"),
    [
        (1_200_000, 1_100_000, 132_000),  # the regulation's own example
        (100_000, 91_667, 11_000),  # 91.666,67 up; 11.000,04 down
        (999_999, 916_666, 110_000),  # 916.665,75 up; 109.999,92 up
        (6, 6, 1),  # 5,5 is half: up
        (1, 1, 0),
        (0, 0, 0),
        (123_456_789_012, 113_168_723_261, 13_580_246_791),
    ],
)
def test_ppn_is_12_percent_of_11_twelfths(price: int, base: int, tax: int) -> None:
    assert ppn(price) == (base, tax)


async def test_ppn_of_all_papers_adds_up(till: Till) -> None:
    """Discounted part, service, on-site fee and two odd costs: taxed as one price, however many invoices there are."""
    till.shop = till.shop.model_copy(update={"charge_ppn": True, "onsite_fee": 33_333})
    await till.book(parts=((SPEAKER, 2),), services=(INSTALL,), location=Location.ONSITE, address="Jl. Melati 3")
    await till.pay((await booking_of(till.database)).total_price)
    for amount in (10_007, 20_009):
        await till.add_cost(amount)
        await till.cash((await booking_of(till.database)).remaining)
    await till.finish()
    booked = await booking_of(till.database)
    price = 2 * 765_000 + 150_000 + 33_333 + 10_007 + 20_009
    assert (booked.total_price, booked.tax_base, booked.tax_amount) == (price + ppn(price)[1], *ppn(price))
    assert await till.billed() == (booked.total_price, booked.tax_base, booked.tax_amount)
    async with till.database.read() as session:
        for facts in await session.scalars(select(Invoice.facts)):
            parts = ("subtotal_parts", "subtotal_services", "onsite_fee", "additional_costs", "tax_amount")
            assert facts["total"] == sum(facts[name] for name in parts)
            assert (
                sum(line["total"] for line in facts["lines"]) + facts["onsite_fee"] + facts["tax_amount"]
                == facts["total"]
            )


def _later(till: Till, *, hours: int) -> datetime:
    return till.shop.at(
        till.shop.local(till.now).date() + timedelta(days=1 + hours // 24), datetime.min.time().replace(hour=10)
    )


async def _owed(till: Till) -> int:
    async with till.database.read() as session:
        booking = await bookings.load(session, code=CODE)
        return sum(each.amount for each in await payment.refunds_of(session, booking) if each.done_at is None)
