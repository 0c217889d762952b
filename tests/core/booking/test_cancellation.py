"""Cancelling by customer and staff, and no-shows: slots, links, refunds and notices."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import CODE, ORDER, PRICE, answer, book, booking_of, give_link, letters, request_of, tuesday_at_ten
from sqlalchemy import select
from workshop import ANDI, SPEAKER, check_books

from core import payment, work
from core.booking import cancel, record_no_show
from core.booking.cancellation import CancellationTerms
from core.context import Context
from core.db.database import Database
from core.db.tables import AdditionalCost, Part, Refund
from core.pricing import trust
from core.refusals import BadDownPayment, NoCashAfterNoShows, Refusal, TooEarlyForNoShow, TooLateToCancel
from core.schedule import bookings
from core.shop import Shop
from core.states import BookingStatus, CreditReason, PaymentMethod, PaymentStatus, RequestState

ADMIN = "telegram:7000000001"
RINA = "Ibu Rina"


class Desk:
    """Verbs on bookings, each in a transaction of its own, at one clock."""

    def __init__(self, database: Database, shop: Shop, now: datetime) -> None:
        self.database, self.shop, self.now = database, shop, now
        self.starts = tuesday_at_ten(shop, now)

    async def book(self, **asked: Any) -> str:
        return await book(self.database, self.shop, self.now, **asked)

    async def pay(self, order_id: str = ORDER, amount: int = PRICE) -> str:
        """Make the link and pay it by e-wallet."""
        await give_link(self.database, order_id, self.shop, self.now)
        return await self.settle(order_id, amount)

    async def settle(self, order_id: str = ORDER, amount: int = PRICE) -> str:
        told = answer(order_id, amount=amount, transaction_id=f"t-{order_id}", payment_type="gopay")
        async with self.database.write() as session:
            return await payment.settle(Context(session, self.shop, self.now), order_id, told)

    async def cancel(self, *, actor: str = bookings.CUSTOMER, reason: str = "", code: str = CODE) -> CancellationTerms:
        async with self.database.write() as session:
            booking = await bookings.load(session, code=code)
            return await cancel(Context(session, self.shop, self.now), booking, reason=reason, actor=actor)

    async def no_show(self, *, code: str = CODE) -> CancellationTerms:
        async with self.database.write() as session:
            booking = await bookings.load(session, code=code)
            return await record_no_show(Context(session, self.shop, self.now), booking, actor="Andi")

    async def start(self) -> None:
        async with self.database.write() as session:
            booking = await bookings.load(session, code=CODE)
            await work.start(Context(session, self.shop, self.now), booking, actor="Andi")

    async def owed(self) -> list[tuple[int, str]]:
        async with self.database.read() as session:
            rows = await session.execute(select(Refund.amount, Refund.reason).order_by(Refund.asked_at, Refund.key))
            return [(amount, reason) for amount, reason in rows]

    async def missed(self, count: int) -> None:
        """Give the customer so many no-shows."""
        for number in range(count):
            code = f"BK-MISS0{number}"
            await self.book(code=code, starts_at=self.starts + timedelta(days=3), percent=30)
            async with self.database.write() as session:
                booking = await bookings.load(session, code=code)
                await bookings.cancel(
                    Context(session, self.shop, self.now), booking, reason=CreditReason.NO_SHOW, actor=RINA
                )
                booking.no_show_at = self.now


@pytest.fixture
def desk(database: Database, shop: Shop, now: datetime) -> Desk:
    return Desk(database, shop, now)


# --- by the customer -----------------------------------------------------------------------------


async def test_cancelling_in_time_refunds_and_frees_the_slot(desk: Desk) -> None:
    await desk.book(parts=((SPEAKER, 1),), services=(), technician_id=ANDI)
    await desk.pay(amount=765_000)
    assert await desk.cancel() == CancellationTerms(765_000)
    booking = await booking_of(desk.database)
    assert (booking.status, booking.holding, booking.cancelled_at) == (BookingStatus.CANCELLED, False, desk.now)
    assert await desk.owed() == [(765_000, "cancelled")]
    assert await letters(desk.database, kind="reminder", state="due") == {}
    async with desk.database.read() as session:
        assert (await session.get_one(Part, SPEAKER)).reserved == 0
    await check_books(desk.database)


async def test_cancelling_late_keeps_the_share_and_notifies(desk: Desk) -> None:
    await desk.book(percent=30)
    await desk.pay(amount=45_000)
    desk.now = desk.starts - timedelta(hours=23)
    assert await desk.cancel() == CancellationTerms(45_000, 22_500, 24)
    assert await desk.owed() == [(22_500, "cancelled")]
    told = await letters(desk.database)
    for key in (f"cancelled:{CODE}", f"cancelled:{CODE}:email"):
        assert "Rp22.500 dari Rp45.000 yang sudah dibayar menjadi biaya pembatalan" in told[key]
    assert "dibatalkan oleh pelanggan" in told[f"staff:cancelled:{CODE}:{ADMIN}"]
    assert "Biaya yang ditahan: Rp22.500\nKembali ke pelanggan: Rp22.500" in told[f"staff:cancelled:{CODE}:{ADMIN}"]


async def test_cancelling_too_late_changes_nothing(desk: Desk) -> None:
    await desk.book()
    await desk.pay()
    desk.now = desk.starts - timedelta(hours=1)
    with pytest.raises(TooLateToCancel):
        await desk.cancel()
    assert (await booking_of(desk.database)).status is BookingStatus.CONFIRMED
    assert await desk.owed() == []


async def test_a_refund_under_way_is_not_owed_twice(desk: Desk) -> None:
    await desk.book()
    await desk.pay()
    async with desk.database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await payment.refund(Context(session, desk.shop, desk.now), booking, 50_000, reason="overpaid")
    desk.now = desk.starts - timedelta(hours=3)
    assert await desk.cancel() == CancellationTerms(100_000, 22_500, 24)
    assert await desk.owed() == [(50_000, "overpaid"), (77_500, "cancelled")]


async def test_money_by_a_closed_link_is_refunded_in_full(desk: Desk) -> None:
    await desk.book()
    await give_link(desk.database, ORDER, desk.shop, desk.now)
    assert await desk.cancel() == CancellationTerms(0)
    request = await request_of(desk.database)
    assert (request.state, request.due_at) == (RequestState.CANCELLED, desk.now)  # a worker closes it now
    assert "tidak perlu dibayar" in (await letters(desk.database))[f"cancelled:{CODE}"]
    assert await desk.settle() == "received"
    assert [amount for amount, _ in await desk.owed()] == [PRICE]
    booking = await booking_of(desk.database)
    assert (booking.status, booking.payment_status) == (BookingStatus.CANCELLED, PaymentStatus.PAID)


async def test_a_link_still_being_made_is_never_sent(desk: Desk) -> None:
    await desk.book()
    await desk.cancel()
    await give_link(desk.database, ORDER, desk.shop, desk.now)
    assert f"link:{ORDER}" not in await letters(desk.database)
    assert "tidak perlu dibayar" not in (await letters(desk.database))[f"cancelled:{CODE}"]


async def test_two_cancellations_at_once_refund_once(desk: Desk) -> None:
    await desk.book()
    await desk.pay()
    assert sorted(await at_once(desk.cancel(), desk.cancel())) == ["InvalidTransition", "done"]
    assert await desk.owed() == [(PRICE, "cancelled")]


async def test_payment_and_cancellation_at_once_refund(desk: Desk) -> None:
    await desk.book()
    await give_link(desk.database, ORDER, desk.shop, desk.now)
    assert await at_once(desk.settle(), desk.cancel()) == ["done", "done"]
    assert [amount for amount, _ in await desk.owed()] == [PRICE]
    assert (await booking_of(desk.database)).status is BookingStatus.CANCELLED
    await check_books(desk.database)


# --- by staff ------------------------------------------------------------------------------------


async def test_a_late_cancellation_by_the_shop_is_free(desk: Desk) -> None:
    await desk.book(percent=50)
    await desk.pay(amount=75_000)
    desk.now = desk.starts + timedelta(minutes=30)
    await desk.start()
    async with desk.database.write() as session:
        booking = await bookings.load(session, code=CODE)
        ctx = Context(session, desk.shop, desk.now)
        await work.add_cost(ctx, booking, "Kabel", 50_000, agreed=False, photo=None, actor="Andi")
    assert await desk.cancel(actor=RINA, reason="Listrik padam") == CancellationTerms(75_000)
    told = await letters(desk.database)
    assert "Alasannya: Listrik padam" in told[f"cancelled:{CODE}"]
    assert "Rp75.000, kami kembalikan seluruhnya" in told[f"cancelled:{CODE}:email"]
    assert f"dibatalkan oleh {RINA}" in told[f"staff:cancelled:{CODE}:{ADMIN}"]
    async with desk.database.read() as session:
        assert list(await session.scalars(select(AdditionalCost.state))) == ["refused"]


# --- who never came ------------------------------------------------------------------------------


async def test_a_no_show_keeps_the_down_payment_only(desk: Desk) -> None:
    await desk.book(technician_id=ANDI)
    await desk.pay()
    desk.now = desk.starts
    assert await desk.no_show() == CancellationTerms(PRICE, 45_000)
    booking = await booking_of(desk.database)
    assert (booking.status, booking.no_show_at) == (BookingStatus.CANCELLED, desk.now)
    assert booking.cancellation_reason == "no_show"
    assert await desk.owed() == [(105_000, "no_show")]
    told = await letters(desk.database)
    for key in (f"no-show:{CODE}", f"no-show:{CODE}:email"):
        assert "belum sempat bertemu" in told[key]
        assert "Sisanya, Rp105.000, kami kembalikan" in told[key]
    assert "dicatat oleh Andi" in told[f"staff:no-show:{CODE}:{ADMIN}"]
    await check_books(desk.database)


async def test_no_show_before_the_start_is_refused(desk: Desk) -> None:
    await desk.book()
    await desk.pay()
    desk.now = desk.starts - timedelta(seconds=1)
    with pytest.raises(TooEarlyForNoShow):
        await desk.no_show()


async def test_start_and_no_show_at_once_are_one_or_the_other(desk: Desk) -> None:
    await desk.book()
    await desk.pay()
    desk.now = desk.starts + timedelta(minutes=20)
    assert sorted(await at_once(desk.start(), desk.no_show())) == ["InvalidTransition", "done"]
    booking = await booking_of(desk.database)
    assert (booking.status is BookingStatus.CANCELLED) == (booking.no_show_at is not None) == bool(await desk.owed())


# --- and the next time ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missed", "percent", "method", "refusal"),
    [
        (1, 30, PaymentMethod.QRIS, None),  # once is tolerated
        (2, 30, PaymentMethod.QRIS, BadDownPayment),
        (2, 49, PaymentMethod.QRIS, BadDownPayment),
        (2, 50, PaymentMethod.QRIS, None),
        (2, None, PaymentMethod.QRIS, None),  # in full is more
        (1, None, PaymentMethod.COD, None),
        (2, None, PaymentMethod.COD, NoCashAfterNoShows),  # it would be no down payment at all
    ],
)
async def test_repeated_no_shows_raise_the_down_payment(
    desk: Desk, missed: int, percent: int | None, method: PaymentMethod, refusal: type[Refusal] | None
) -> None:
    await desk.missed(missed)
    assert await _refusal(desk.book(percent=percent, method=method, down_payment_percent=percent)) is refusal


async def test_payment_requests_respect_repeated_no_shows(desk: Desk) -> None:
    """Over REST the down payment is chosen only with the payment request."""
    await desk.missed(2)
    await desk.book()
    for percent, allowed in ((30, False), (50, True), (None, True)):
        assert (await _refusal(_ask(desk, percent)) is None) == allowed
    with pytest.raises(BadDownPayment) as refusal:
        await _ask(desk, 40)
    assert refusal.value.params == {"least": 50, "most": 50}


async def test_terms_agreed_before_the_no_show_stand(desk: Desk) -> None:
    await desk.book(percent=30)
    await desk.missed(2)
    desk.now += desk.shop.hold
    await _ask(desk, 30)


async def test_no_shows_count_by_customer(desk: Desk) -> None:
    await desk.missed(2)
    async with desk.database.read() as session:
        assert [await trust.count_no_shows(session, customer) for customer in (1, 2)] == [2, 0]


async def _ask(desk: Desk, percent: int | None) -> None:
    async with desk.database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await payment.request(Context(session, desk.shop, desk.now), booking, percent=percent)


async def _refusal(doing: Any) -> type[Refusal] | None:
    try:
        await doing
    except Refusal as refusal:
        return type(refusal)
    return None


async def at_once(*doing: Any) -> list[str]:
    """Run these at once; for each "done", or the refusal's name."""
    ends = await asyncio.gather(*doing, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, Refusal):
            raise end
    return [type(end).__name__ if isinstance(end, Refusal) else "done" for end in ends]
