"""What is kept about a person can be shown whole, and erased but for what the law makes the shop keep."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import ADMIN, CHAT, CODE, ORDER, answer, book, booking_of, give_link, request_of, tuesday_at_ten
from shops import make_shop
from sqlalchemy import func, select, update
from workshop import book as book_without_chat
from workshop import order

from core import payment
from core.context import Context
from core.db.database import Database
from core.db.tables import (
    AdditionalCost,
    Base,
    Booking,
    BookingEvent,
    Contact,
    Conversation,
    Customer,
    IdempotencyKey,
    Inbound,
    Invoice,
    LedgerEntry,
    Outbox,
    PaymentNotification,
    Rating,
    Refund,
    Waiting,
    WorkNote,
)
from core.faq import unanswered
from core.messaging import outbox
from core.messaging.messages import Document, message, say
from core.notices import escalations
from core.notices.escalations import Need
from core.notices.tell import tell_admins
from core.people import contacts, privacy, web_customers
from core.people.privacy import Ambiguous, StillNeeded
from core.refusals import NotFound
from core.shop import Shop
from core.states import BookingStatus, CallReason, Location, RefundState, WaitState

NAME, PHONE, MAIL, PLATE, HOME = "Sari", "+6281234567890", "sari@example.com", "B 1234 XYZ", "Jl. Melati 3"
ACCOUNT, CARD, SECRET = "BCA 123456 a/n Sari", "481111-1114", "rumah warna hijau"
PHOTO, SENT = "ab" * 16 + ".jpg", "cd" * 16 + ".jpg"
OTHER_CHAT, USER, ON_THE_WEB = ("telegram", "5002"), "user_sari", "BK-000002"
TELLING = (NAME, PHONE[1:], MAIL, PLATE, HOME, ACCOUNT, CARD, SECRET, PHOTO, SENT, USER, CHAT[1], OTHER_CHAT[1])
"""Nothing of this may be found anywhere once she is erased."""


async def _was_a_customer(database: Database, shop: Shop, now: datetime) -> None:
    """Sari booked, paid, had work done and wrote a lot; whatever can hold something of her does."""
    await book(database, shop, now, plate=PLATE, location=Location.ONSITE, address=HOME)
    await give_link(database, ORDER, shop, now)
    amount = (await request_of(database)).amount
    paid = answer(
        amount=amount, masked_card=CARD, customer_details={"email": MAIL}, va_numbers=[{"va_number": PHONE[1:]}]
    )
    async with database.write() as session:
        await payment.store_notification(session, paid, now=now)
        await payment.settle(Context(session, shop, now), ORDER, paid)
    async with database.write() as session:
        booking = (await session.scalars(select(Booking))).one()
        booking.latitude, booking.longitude = -6.26, 106.81
        booking.status, booking.cancellation_reason, booking.completed_at = BookingStatus.COMPLETED, SECRET, now
        sari = await session.get_one(Customer, 1)
        sari.name, sari.phone, sari.phone_proven, sari.email = NAME, PHONE, True, MAIL
        of, (channel, address) = {"booking_id": booking.id}, CHAT
        session.add_all(
            [
                Conversation(contact_id=1, state={"answers": [["name", NAME], ["address", HOME]], "human": ADMIN, "writer": ADMIN}, updated_at=now),
                Inbound(channel=channel, event_id="1", address=address, received_at=now, raw={"text": SECRET}, error="x"),
                WorkNote(at=now, author="Andi", text=f"Bu {NAME} minta cepat", photos=[PHOTO, "https://x.example/a"], **of),
                AdditionalCost(description="Kabel", amount=1000, photo=PHOTO, proposed_by="Andi", proposed_at=now, **of),
                BookingEvent(at=now, kind="cancelled", actor="customer", detail={"reason": SECRET, "cost_id": 1}, **of),
                Rating(stars=5, comment=SECRET, at=now, **of),
                Refund(key="r1", amount=500, reason="overpaid", state=RefundState.DONE, bank_account=ACCOUNT, asked_at=now, **of),
                Waiting(booking_code="BK-W", customer_id=1, contact_id=1, starts_at=now, order={"name": NAME}, state=WaitState.ENDED, created_at=now),
                IdempotencyKey(owner=USER, key="k", digest="d", answer={"customerName": NAME}, created_at=now),
            ]
        )  # fmt: skip

    if not database.is_sqlite:  # the workshop's customers brought their numbers along
        async with database.write() as session:
            await session.execute(select(func.setval("customer_id_seq", 2)))
    await _books_on_the_web(database, shop, now)
    await _writes_from_another_chat(database, now)
    await _speaks_with_a_person(database, shop, now)


async def _books_on_the_web(database: Database, shop: Shop, now: datetime) -> None:
    """She signs in there as well, and says in the chat that it is her."""
    async with database.write() as session:
        web = await web_customers.of_user(session, USER, now=now)
        web.name, web.phone, web.email = NAME, PHONE, MAIL
        asked = order(tuesday_at_ten(shop, now) + timedelta(days=1), name=NAME, phone=PHONE, email=MAIL)
        booking = await book_without_chat(session, asked, shop=shop, now=now, code=ON_THE_WEB, customer=web.id)
        booking.status = BookingStatus.COMPLETED
        chat, _, _ = await contacts.find_or_create(session, *CHAT, phone=None, language="id", now=now)
        await web_customers.join(Context(session, shop, now), chat, ON_THE_WEB)


async def _writes_from_another_chat(database: Database, now: datetime) -> None:
    """She is somebody new there, until she shares her number."""
    async with database.write() as session:
        chat, _, _ = await contacts.find_or_create(session, *OTHER_CHAT, phone=None, language="id", now=now)
        chat.customer.name, chat.customer.email = NAME, MAIL
        await contacts.prove_phone(session, chat, PHONE)


async def _speaks_with_a_person(database: Database, shop: Shop, now: datetime) -> None:
    """Her words go to every admin, her photo to the one who took the conversation over."""
    async with database.write() as session:
        chat, _, _ = await contacts.find_or_create(session, *CHAT, phone=None, language="id", now=now)
        ctx = Context(session, shop, now)
        waiting, _ = await escalations.open_for(
            ctx, chat, Need(CallReason.COMPLAINT, about=say("team.from_customer", name=NAME, text=SECRET))
        )
        waiting.media = [SENT]
        await unanswered.remember(ctx, chat, "hijau rumah warna", SECRET)
        card = message(say("team.from_customer", name=NAME, text=SECRET))
        await tell_admins(ctx, f"person:{chat.id}", card, about=chat)
        await outbox.enqueue(
            Context(session, shop, now),
            key="person:telegram:3:0",
            channel=ADMIN[0],
            address=ADMIN[1],
            language="id",
            message=message(say("team.from_customer_photo", name=NAME), document=Document("photo", SENT)),
            kind="notice",
            about=chat.id,
        )


async def _erase(database: Database, shop: Shop, now: datetime, **who: str) -> list[str]:
    async with database.write() as session:
        return await privacy.erase(Context(session, shop, now), await privacy.find(session, **who))


async def _everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    async with database.read() as session:
        return {
            table.name: [dict(row) for row in (await session.execute(select(table))).mappings()]
            for table in Base.metadata.sorted_tables
        }


def _found(rows: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Where something of her still stands."""
    for table, found in rows.items():
        for row in found:
            yield from (f"{table}.{name}" for name, value in row.items() for word in TELLING if word in str(value))


async def test_erasing_leaves_only_the_name_on_papers(database: Database, shop: Shop, now: datetime) -> None:
    await _was_a_customer(database, shop, now)
    before = await _everything(database)
    assert len({place.partition(".")[0] for place in _found(before)}) >= 15, "there was something to forget"
    photos = await _erase(database, shop, now, phone=PHONE)
    after = await _everything(database)
    assert photos == [PHOTO, SENT]
    assert set(_found(after)) == {"invoice.facts", "receipt.facts"}
    for paper in ("invoice", "receipt"):
        [row] = after[paper]
        assert row["facts"]["customer_name"] == NAME
        assert not [word for word in TELLING[1:] if word in str(row["facts"])]
        assert row["number"] == before[paper][0]["number"]


async def test_the_books_are_the_same_after_it(database: Database, shop: Shop, now: datetime) -> None:
    await _was_a_customer(database, shop, now)
    money = select(func.count(), func.sum(LedgerEntry.amount))
    async with database.read() as session:
        before = (await session.execute(money)).one()
    booked = await booking_of(database)
    await _erase(database, shop, now, code=CODE)
    async with database.read() as session:
        assert (await session.execute(money)).one() == before
        entry = (await session.scalars(select(LedgerEntry))).one()
        assert (entry.evidence["transaction_id"], entry.evidence["transaction_status"]) == ("t-1", "settlement")
    left = await booking_of(database)
    for kept in ("code", "total_price", "paid_amount", "status", "starts_at", "car_brand", "customer_id"):
        assert getattr(left, kept) == getattr(booked, kept)


async def test_somebody_else_is_left_alone(database: Database, shop: Shop, now: datetime) -> None:
    """Budi has a chat of his own and a message in it."""
    await _was_a_customer(database, shop, now)
    async with database.write() as session:
        await contacts.find_or_create(session, "telegram", "999", phone="+628111", language="id", now=now)
        session.add(Inbound(channel="telegram", event_id="2", address="999", received_at=now, raw={"a": 1}, error="x"))
        budi = await privacy.find(session, phone="+628111")
        before = await privacy.export(session, budi)
    await _erase(database, shop, now, phone=PHONE)
    async with database.read() as session:
        assert await privacy.export(session, budi) == before
    assert set(before) == {"customer", "contact", "conversation", "inbound"}


async def test_an_erased_person_who_writes_again_is_new(database: Database, shop: Shop, now: datetime) -> None:
    await _was_a_customer(database, shop, now)
    await _erase(database, shop, now, phone=PHONE)
    async with database.write() as session:
        contact, state, is_new = await contacts.find_or_create(session, *CHAT, phone=PHONE, language="id", now=now)
        assert (is_new, state) == (True, {})
        assert contact.customer_id not in (1, 2)
        assert not await contacts.record_inbound(session, CHAT[0], "1", CHAT[1], now), (
            "an old message isn't answered again"
        )


async def test_all_that_is_kept_is_shown(database: Database, shop: Shop, now: datetime) -> None:
    await _was_a_customer(database, shop, now)
    async with database.read() as session:
        told = await privacy.export(session, await privacy.find(session, phone=PHONE))
    everything = await _everything(database)
    holding = {place.partition(".")[0] for place in _found(everything)}
    assert holding <= set(told)
    assert set(_found(told)) == set(_found(everything))
    assert told["booking"][0]["starts_at"] == "2026-11-24 03:00:00+00:00"
    assert told["booking"][0]["status"] == "completed"


async def test_where_staff_can_be_reached_is_shown_to_nobody(database: Database, shop: Shop, now: datetime) -> None:
    """What they were told of her is, and where she herself was written to."""
    await _was_a_customer(database, shop, now)
    assert ADMIN[1] in str(await _everything(database))
    async with database.read() as session:
        told = await privacy.export(session, await privacy.find(session, phone=PHONE))
    assert ADMIN[1] not in str(told)
    assert [row["body"] for row in told["outbox"] if row["kind"] == "staff"]
    assert {row["address"] for row in told["outbox"] if "address" in row} == {CHAT[1], MAIL}


ALIVE: dict[str, tuple[type[Base], dict[str, object], list[str]]] = {
    "bookings that are to come": (Booking, {"status": BookingStatus.CONFIRMED}, [CODE, ON_THE_WEB]),
    "cars in the workshop": (Booking, {"status": BookingStatus.IN_PROGRESS}, [CODE, ON_THE_WEB]),
    "money that must go back": (Refund, {"state": RefundState.BY_HAND}, [CODE]),
    "a place in the waiting list": (Waiting, {"state": WaitState.WAITING}, ["BK-W"]),
}


@pytest.mark.parametrize("why", ALIVE)
async def test_a_person_still_needed_is_not_erased(database: Database, shop: Shop, now: datetime, why: str) -> None:
    await _was_a_customer(database, shop, now)
    table, values, codes = ALIVE[why]
    async with database.write() as session:
        await session.execute(update(table).values(values))
    before = await _everything(database)
    with pytest.raises(StillNeeded) as needed:
        await _erase(database, shop, now, phone=PHONE)
    assert needed.value.codes == codes
    assert await _everything(database) == before


async def test_ppn_keeps_the_address_on_papers_for_ten_years(database: Database, now: datetime) -> None:
    shop = make_shop(charge_ppn=True)
    await _was_a_customer(database, shop, now)
    shown = []
    for years in (0, 10, 11):
        await _erase(database, shop, now + timedelta(days=365.25 * years), code=CODE)
        async with database.read() as session:
            [facts] = await session.scalars(select(Invoice.facts))
        shown.append((facts["customer_name"], facts["address"]))
    assert shown == [(NAME, HOME), (NAME, HOME), (privacy.NOBODY, None)]


async def test_find_by_number_prefers_a_proven_one(database: Database, now: datetime) -> None:
    """Anybody can type any number."""
    async with database.write() as session:
        session.add_all(Customer(phone=PHONE, name=name, created_at=now) for name in ("typed", "typed too"))
        await session.flush()
        with pytest.raises(Ambiguous):
            await privacy.find(session, phone=PHONE)
        session.add(Customer(phone=PHONE, phone_proven=True, name="proved", created_at=now))
        await session.flush()
        assert (await privacy.find(session, phone=PHONE)).name == "proved"
        for nobody in ({"phone": "+620"}, {"code": "BK-NONE"}):
            with pytest.raises(NotFound):
                await privacy.find(session, **nobody)


async def test_messages_to_an_erased_person_are_not_sent(database: Database, shop: Shop, now: datetime) -> None:
    await _was_a_customer(database, shop, now)
    async with database.read() as session:
        waiting = (await session.scalars(select(Outbox.channel).where(Outbox.state == "due"))).all()
    assert {"telegram", "email"} <= set(waiting)
    await _erase(database, shop, now, phone=PHONE)
    async with database.read() as session:
        assert (await session.scalars(select(Outbox))).all() == []
        assert (await session.scalars(select(Contact))).all() == []
        [notification] = await session.scalars(select(PaymentNotification))
        assert notification.body["order_id"] == ORDER
