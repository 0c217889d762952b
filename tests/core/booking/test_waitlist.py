"""The waitlist: who may join, who gets the next offer, and how an entry ends."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from paying import answer
from sqlalchemy import delete, select, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.ext.asyncio import AsyncSession
from workshop import ANDI, BUDI, CHECK, CITRA, INSTALL, SPEAKER, TUNE, book, check_books, furnish, order

from bot.background.waitlist_worker import WaitlistWorker
from bot.transactions import Transactions
from core import payment, work
from core.booking import cancel, join_waitlist, pass_on_offer, rejoin_waitlist, reschedule, take_offer
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, Closure, Contact, Leave, Outbox, Part, PaymentRequest, Service, Waiting
from core.refusals import AlreadyWaiting, InThePast, InvalidTransition, OutsideHours, Refusal, SlotFull, TooManyWaits
from core.schedule import availability, bookings
from core.schedule.orders import BookingRequest
from core.shop import Shop
from core.states import BookingStatus, PaymentMethod, RequestState, WaitState

TUESDAY = date(2026, 11, 24)
HOLDER = 9
on_one_engine = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def narrow(shop: Shop) -> Shop:
    """A shop with one bay."""
    return shop.model_copy(update={"max_bookings_per_slot": 1})


@pytest.fixture(autouse=True)
async def _furnished(database: Database, now: datetime) -> None:
    await furnish(database, now, customers=HOLDER)
    async with database.write() as session:
        session.add_all(
            Contact(id=number, channel="telegram", address=str(number), customer_id=number, created_at=now)
            for number in range(1, HOLDER)
        )


async def join(session: AsyncSession, number: int, asked: Any, *, shop: Shop, now: datetime) -> Waiting:
    """Customer `number` joins the waitlist."""
    return await join_waitlist(
        Context(session, shop, now),
        BookingRequest(order=asked, customer_id=number, contact_id=number, language="id", code=f"BK-W{number}"),
    )


async def run_worker(database: Database, shop: Shop, now: datetime) -> None:
    """Run the worker of a server that has just started: its state is all in the database."""
    worker = WaitlistWorker(Transactions(database, shop, lambda: now), wake_dispatch=lambda: None)
    while await worker.run_once():
        pass


async def states(database: Database) -> dict[str, WaitState]:
    async with database.read() as session:
        rows = await session.execute(select(Waiting.booking_code, Waiting.state).order_by(Waiting.id))
        return {code.removeprefix("BK-W"): state for code, state in rows}


async def told(database: Database, number: int) -> list[str]:
    async with database.read() as session:
        letters = await session.scalars(select(Outbox.body).where(Outbox.address == str(number)).order_by(Outbox.id))
        return [body["says"][0]["say"] for body in letters]


async def _cancel(session: AsyncSession, held: Booking, shop: Shop, now: datetime) -> None:
    await cancel(Context(session, shop, now), held, reason="batal", actor="Ibu Rina")


async def _move(session: AsyncSession, held: Booking, shop: Shop, now: datetime) -> None:
    start = shop.at(TUESDAY, time(14))
    await reschedule(Context(session, shop, now), held, start, technician_id=ANDI, actor="Ibu Rina")


async def _hand_over(session: AsyncSession, held: Booking, shop: Shop, now: datetime) -> None:
    await reschedule(Context(session, shop, now), held, held.starts_at, technician_id=BUDI, actor="Ibu Rina")


async def _bring(session: AsyncSession, held: Booking, shop: Shop, now: datetime) -> None:
    await session.execute(update(Part).where(Part.id == SPEAKER).values(on_hand=Part.reserved + 1))


async def _reopen(session: AsyncSession, held: Booking, shop: Shop, now: datetime) -> None:
    await session.execute(delete(Closure))


async def _come_back(session: AsyncSession, held: Booking, shop: Shop, now: datetime) -> None:
    await session.execute(delete(Leave))


async def _wait_out(session: AsyncSession, held: Booking, shop: Shop, now: datetime) -> None:
    """The hold ends by itself."""


FREED: list[tuple[str, dict[str, Any], Callable[..., Any], timedelta]] = [
    ("a cancelled booking", {}, _cancel, timedelta()),
    ("a moved booking", {}, _move, timedelta()),
    ("a hold that ran out", {}, _wait_out, timedelta(hours=1)),
    ("the technician who was asked for", {"technician_id": ANDI}, _hand_over, timedelta()),
]


@pytest.mark.parametrize(("asked", "frees", "later"), [row[1:] for row in FREED], ids=[row[0] for row in FREED])
async def test_the_first_entry_gets_the_offer(
    database: Database, narrow: Shop, now: datetime, asked: dict[str, Any], frees: Callable[..., Any], later: timedelta
) -> None:
    start = narrow.at(TUESDAY, time(10))
    shop = narrow
    if asked:  # seats there are, but only one Andi
        shop = narrow.model_copy(update={"max_bookings_per_slot": 3})
    async with database.write() as session:
        await book(session, order(start, technician_id=ANDI), shop=shop, now=now, customer=HOLDER)
        for number in (1, 2):
            await join(session, number, order(start, **asked), shop=shop, now=now)
    await run_worker(database, shop, now)
    if not asked:
        assert set((await states(database)).values()) == {WaitState.WAITING}, "nothing has freed yet"
    async with database.write() as session:
        held = await bookings.load(session, code="BK-000001")
        await frees(session, held, shop, now)
    await run_worker(database, shop, now + later)
    assert await states(database) == {"1": WaitState.OFFERED, "2": WaitState.WAITING}
    assert (await told(database, 1), await told(database, 2)) == (["waiting.offer"], [])
    await check_books(database)


@on_one_engine
@pytest.mark.parametrize(
    ("away", "frees"),
    [
        (lambda: Closure(day=TUESDAY, reason="Libur"), _reopen),
        (lambda: Leave(technician_id=ANDI, day=TUESDAY), _come_back),
    ],
    ids=["a closure that is lifted", "a technician who is back"],
)
async def test_a_reopened_day_or_technician_is_offered(
    database: Database, shop: Shop, now: datetime, away: Callable[[], Any], frees: Callable[..., Any]
) -> None:
    asked = order(shop.at(TUESDAY, time(10)), services=(TUNE,), technician_id=ANDI)
    async with database.write() as session:
        await book(session, asked, shop=shop, now=now, customer=HOLDER)
        await join(session, 1, asked, shop=shop, now=now)
        held = await bookings.load(session, code="BK-000001")
        await _cancel(session, held, shop, now)
        session.add(away())
    await run_worker(database, shop, now)
    assert await states(database) == {"1": WaitState.WAITING}
    async with database.write() as session:
        await frees(session, held, shop, now)
    await run_worker(database, shop, now)
    assert await states(database) == {"1": WaitState.OFFERED}


async def test_an_entry_for_two_parts_does_not_block_one(database: Database, shop: Shop, now: datetime) -> None:
    start = shop.at(TUESDAY, time(10))
    async with database.write() as session:
        await book(session, order(start, parts=((SPEAKER, 2),)), shop=shop, now=now, customer=HOLDER)
        for number, count in ((1, 2), (2, 1)):
            await join(session, number, order(start, parts=((SPEAKER, count),)), shop=shop, now=now)
        await _bring(session, None, shop, now)  # type: ignore[arg-type]
    await run_worker(database, shop, now)
    assert await states(database) == {"1": WaitState.WAITING, "2": WaitState.OFFERED}


async def test_offers_pass_down_the_waitlist_over_restarts(database: Database, narrow: Shop, now: datetime) -> None:
    """Nobody answers: each entry has its minutes, then the next; in the end the seat is free."""
    start = narrow.at(TUESDAY, time(10))
    async with database.write() as session:
        for number in (1, 2, 3):
            await join(session, number, order(start), shop=narrow, now=now)
    minutes = timedelta(minutes=narrow.offer_minutes)
    for turn, first in enumerate("123"):
        await run_worker(database, narrow, now + turn * minutes)
        offered = [number for number, state in (await states(database)).items() if state is WaitState.OFFERED]
        assert offered == [first]
    await run_worker(database, narrow, now + 3 * minutes)
    assert set((await states(database)).values()) == {WaitState.ENDED}
    assert await told(database, 1) == ["waiting.offer", "waiting.unanswered"]
    async with database.write() as session:
        await book(session, order(start), shop=narrow, now=now + 3 * minutes, customer=HOLDER)
    await check_books(database)


async def test_taking_an_offer_sends_a_link_and_holds(database: Database, narrow: Shop, now: datetime) -> None:
    start = narrow.at(TUESDAY, time(10))
    async with database.write() as session:
        await join(session, 1, order(start), shop=narrow, now=now)
    await run_worker(database, narrow, now)
    async with database.write() as session:
        offered = await bookings.load(session, code="BK-W1")
        assert offered.hold_until == now + timedelta(minutes=narrow.offer_minutes)
        assert await session.scalar(select(PaymentRequest.order_id)) is None, "nothing is asked for before"
        await take_offer(Context(session, narrow, now), offered)
        await take_offer(Context(session, narrow, now), offered)  # tapped twice
    async with database.read() as session:
        request = (await session.scalars(select(PaymentRequest))).one()
    assert request.expires_at == now + narrow.hold
    await run_worker(database, narrow, now + timedelta(minutes=narrow.offer_minutes))
    assert await states(database) == {"1": WaitState.TAKEN}


async def _ask_for_its_link(session: AsyncSession, offered: Booking, shop: Shop, now: datetime) -> None:
    await payment.request(Context(session, shop, now), offered, percent=None)


async def _pay_by_its_link(session: AsyncSession, offered: Booking, shop: Shop, now: datetime) -> None:
    asked = await payment.request(Context(session, shop, now), offered, percent=None)
    told = answer(asked.order_id, amount=asked.amount)
    assert await payment.settle(Context(session, shop, now), asked.order_id, told) == "received"


async def _assign(session: AsyncSession, offered: Booking, shop: Shop, now: datetime) -> None:
    await work.assign(Context(session, shop, now), offered, ANDI, actor="Ibu Rina")


@pytest.mark.parametrize("answers", [_ask_for_its_link, _pay_by_its_link, _assign])
async def test_an_offer_taken_without_a_tap_blocks_nobody(
    database: Database, narrow: Shop, now: datetime, answers: Callable[..., Any]
) -> None:
    """Asked for its link, paid, or given a technician, and nobody tapped [take]."""
    over = now + timedelta(minutes=narrow.offer_minutes)
    async with database.write() as session:
        await join(session, 1, order(narrow.at(TUESDAY, time(10))), shop=narrow, now=now)
    await run_worker(database, narrow, now)
    async with database.write() as session:
        offered = await bookings.load(session, code="BK-W1")
        await answers(session, offered, narrow, over - timedelta(minutes=1))
        await join(session, 2, order(narrow.at(TUESDAY, time(13))), shop=narrow, now=now)
    await run_worker(database, narrow, over)
    assert await states(database) == {"1": WaitState.TAKEN, "2": WaitState.OFFERED}
    assert "waiting.unanswered" not in await told(database, 1)


async def _pass_on(session: AsyncSession, offered: Booking, shop: Shop, now: datetime) -> None:
    await pass_on_offer(Context(session, narrow, now), offered)


async def _join_again(session: AsyncSession, offered: Booking, shop: Shop, now: datetime) -> None:
    await rejoin_waitlist(Context(session, shop, now), offered, code="BK-W9")


async def _take_another(session: AsyncSession, offered: Booking, shop: Shop, now: datetime) -> None:
    await take_offer(Context(session, shop, now), offered, starts_at=shop.at(TUESDAY, time(14)))


@pytest.mark.parametrize("ended", [False, True], ids=["while it is offered", "when its minutes are over"])
@pytest.mark.parametrize("tapped", [_pass_on, _join_again, _take_another])
@pytest.mark.parametrize("decided", [_pay_by_its_link, _assign])
async def test_old_buttons_do_not_change_a_paid_booking(
    database: Database,
    narrow: Shop,
    now: datetime,
    decided: Callable[..., Any],
    tapped: Callable[..., Any],
    ended: bool,
) -> None:
    start, over = narrow.at(TUESDAY, time(10)), now + timedelta(minutes=narrow.offer_minutes)
    async with database.write() as session:
        await join(session, 1, order(start), shop=narrow, now=now)
    await run_worker(database, narrow, now)
    if ended:
        await run_worker(database, narrow, over)
    async with database.write() as session:
        await decided(session, await bookings.load(session, code="BK-W1"), narrow, over)
    with pytest.raises(InvalidTransition):
        async with database.write() as session:
            await tapped(session, await bookings.load(session, code="BK-W1"), narrow, over)
    async with database.read() as session:
        kept = await bookings.load(session, code="BK-W1")
    assert (kept.status, kept.starts_at, kept.holding) == (BookingStatus.CONFIRMED, start, True)


async def test_passing_on_closes_the_payment_link(database: Database, narrow: Shop, now: datetime) -> None:
    async with database.write() as session:
        await join(session, 1, order(narrow.at(TUESDAY, time(10))), shop=narrow, now=now)
    await run_worker(database, narrow, now)
    async with database.write() as session:
        offered = await bookings.load(session, code="BK-W1")
        asked = await payment.request(Context(session, narrow, now), offered, percent=None)
        await pass_on_offer(Context(session, narrow, now), offered)
    assert (asked.state, offered.status) == (RequestState.CANCELLED, BookingStatus.CANCELLED)


async def test_a_bug_in_one_entry_does_not_stop_the_others(database: Database, narrow: Shop, now: datetime) -> None:
    over = now + timedelta(minutes=narrow.offer_minutes)
    async with database.write() as session:
        for number in (1, 2):
            await join(session, number, order(narrow.at(TUESDAY, time(9 + number))), shop=narrow, now=now)
    await run_worker(database, narrow, now)
    async with database.write() as session:
        await session.execute(update(Waiting).where(Waiting.id == 1).values(booking_code="BK-GONE"))
        await join(session, 3, order(narrow.at(TUESDAY, time(13))), shop=narrow, now=now)
    with pytest.raises(NoResultFound):  # the loop makes it known, and tries again
        await run_worker(database, narrow, over)
    assert await states(database) == {"BK-GONE": WaitState.OFFERED, "2": WaitState.ENDED, "3": WaitState.OFFERED}


@on_one_engine
async def test_a_cash_offer_is_held_until_its_start(database: Database, narrow: Shop, now: datetime) -> None:
    start = narrow.at(TUESDAY, time(10))
    async with database.write() as session:
        await join(session, 1, order(start, method=PaymentMethod.COD), shop=narrow, now=now)
    await run_worker(database, narrow, now)
    async with database.write() as session:
        offered = await bookings.load(session, code="BK-W1")
        await take_offer(Context(session, narrow, now), offered)
    assert offered.hold_until == start


async def test_a_late_yes_gets_what_is_still_free(database: Database, narrow: Shop, now: datetime) -> None:
    start, late = narrow.at(TUESDAY, time(10)), now + timedelta(minutes=narrow.offer_minutes)
    async with database.write() as session:
        await join(session, 1, order(start), shop=narrow, now=now)
        await join(session, 2, order(start), shop=narrow, now=now)
    await run_worker(database, narrow, now)
    await run_worker(database, narrow, late)
    async with database.write() as session:
        offered = await bookings.load(session, code="BK-W1")
        with pytest.raises(SlotFull):
            async with session.begin_nested():
                await take_offer(Context(session, narrow, late), offered)
        await pass_on_offer(Context(session, narrow, late), await bookings.load(session, code="BK-W2"))
        await take_offer(Context(session, narrow, late), await bookings.load(session, code="BK-W1"))
    assert await states(database) == {"1": WaitState.TAKEN, "2": WaitState.ENDED}
    await check_books(database)


@on_one_engine
async def test_limits_of_joining(database: Database, narrow: Shop, now: datetime) -> None:
    refused: list[tuple[str, Any, type[Refusal]]] = [
        ("the same start again", order(narrow.at(TUESDAY, time(10)), services=(CHECK,)), AlreadyWaiting),
        ("before the shop opens", order(narrow.at(TUESDAY, time(7))), OutsideHours),
        ("a week ago", order(narrow.at(TUESDAY, time(9)) - timedelta(days=7)), InThePast),
    ]
    async with database.write() as session:
        await join(session, 1, order(narrow.at(TUESDAY, time(10))), shop=narrow, now=now)
        for reason, asked, refusal in refused:
            with pytest.raises(refusal):
                assert await join(session, 1, asked, shop=narrow, now=now) is None, reason
        for hour in (11, 12):
            await join(session, hour - 9, order(narrow.at(TUESDAY, time(hour))), shop=narrow, now=now)
        await session.execute(update(Waiting).values(customer_id=1))
        with pytest.raises(TooManyWaits):
            await join(session, 1, order(narrow.at(TUESDAY, time(13))), shop=narrow, now=now)


@on_one_engine
async def test_an_entry_ends_once_when_its_start_has_come(database: Database, narrow: Shop, now: datetime) -> None:
    start = narrow.at(TUESDAY, time(10))
    async with database.write() as session:
        held = await book(session, order(start), shop=narrow, now=now, customer=HOLDER)
        held.hold_until = None
        await join(session, 1, order(start), shop=narrow, now=now)
    notice = timedelta(minutes=narrow.book_notice_minutes)
    await run_worker(database, narrow, start - notice)
    assert await states(database) == {"1": WaitState.WAITING}
    for _ in range(2):
        await run_worker(database, narrow, start - notice + timedelta(seconds=1))
    assert (await states(database), await told(database, 1)) == ({"1": WaitState.ENDED}, ["waiting.over"])


@on_one_engine
async def test_an_impossible_entry_ends_and_blocks_nobody(database: Database, narrow: Shop, now: datetime) -> None:
    start = narrow.at(TUESDAY, time(10))
    async with database.write() as session:
        await join(session, 1, order(start, services=(CHECK,)), shop=narrow, now=now)
        await join(session, 2, order(start), shop=narrow, now=now)
        await session.execute(update(Service).where(Service.id == CHECK).values(is_available=False))
    await run_worker(database, narrow, now)
    assert await states(database) == {"1": WaitState.ENDED, "2": WaitState.OFFERED}
    assert await told(database, 1) == ["waiting.impossible"]


@on_one_engine
async def test_an_offer_names_a_changed_price(database: Database, narrow: Shop, now: datetime) -> None:
    start = narrow.at(TUESDAY, time(10))
    async with database.write() as session:
        for hour in range(narrow.max_unpaid_bookings):
            asked = order(narrow.at(TUESDAY, time(12 + hour)))
            await book(session, asked, shop=narrow, now=now, customer=1, code=f"BK-{hour}")
        await join(session, 1, order(start), shop=narrow, now=now)
        await session.execute(update(Service).where(Service.id == INSTALL).values(price=175_000))
    await run_worker(database, narrow, now)
    async with database.read() as session:
        body = (await session.scalars(select(Outbox.body).where(Outbox.address == "1"))).one()
        offered = await bookings.load(session, code="BK-W1")
    assert [say["say"] for say in body["says"]] == ["waiting.offer", "notice.block", "waiting.price_changed"]
    assert offered.total_price == 175_000


async def test_a_slot_to_be_offered_shows_as_full(database: Database, narrow: Shop, now: datetime) -> None:
    start = narrow.at(TUESDAY, time(10))
    async with database.write() as session:
        await join(session, 1, order(start), shop=narrow, now=now)
        load = await availability.slots_of_day(Context(session, narrow, now), TUESDAY)
        assert [slot.free for slot in load][:3] == [True, False, True]
        for start_of_long_job in (time(9), time(10)):
            with pytest.raises(SlotFull):
                async with session.begin_nested():
                    asked = order(narrow.at(TUESDAY, start_of_long_job), services=(TUNE,))
                    await book(session, asked, shop=narrow, now=now, customer=HOLDER)
        await book(session, order(narrow.at(TUESDAY, time(11))), shop=narrow, now=now, customer=HOLDER)
    await check_books(database)


async def test_an_unservable_entry_blocks_nobody(database: Database, narrow: Shop, now: datetime) -> None:
    """An entry needs ten and eleven, and eleven is taken: ten alone may be booked, and left again."""
    async with database.write() as session:
        taken = await book(
            session, order(narrow.at(TUESDAY, time(11)), technician_id=CITRA), shop=narrow, now=now, customer=HOLDER
        )
        taken.hold_until = None
        await join(session, 1, order(narrow.at(TUESDAY, time(10)), services=(TUNE,)), shop=narrow, now=now)
        free = order(narrow.at(TUESDAY, time(10)))
        made = await book(session, free, shop=narrow, now=now, customer=2, code="BK-2")
        await bookings.reschedule(
            Context(session, narrow, now), made, narrow.at(TUESDAY, time(9)), technician_id=None, actor="customer"
        )
    await run_worker(database, narrow, now)
    assert await states(database) == {"1": WaitState.WAITING}
