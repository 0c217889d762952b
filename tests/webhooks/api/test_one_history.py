"""Web and chat share one history once the number's owner confirms it in the chat."""

import itertools

from asking import Web, wish
from paying import letters
from sqlalchemy import select
from workshop import CHECK, order

from conversations.engine import Engine
from conversations.incoming import Incoming
from core.context import Context
from core.db.tables import Contact, Customer, Outbox
from core.schedule import bookings
from core.schedule.orders import BookingRequest

SARI, TONO = "+6281234567890", "+6281298765432"
_events = itertools.count(1)


async def say(web: Web, number: str, text: str | None = None, *, tap: str | None = None) -> str:
    """Take one WhatsApp turn, whose number is verified; returns the replies and button ids."""
    event = f"SM{next(_events)}"
    incoming = Incoming("whatsapp", f"whatsapp:{number}", event, text=text, choice=tap, phone=number)
    async with web.database.write() as session:
        await Engine().take_turn(Context(session, web.shop, web.now), incoming, fresh=f"{event:>016}")
        row = (await session.scalars(select(Outbox).where(Outbox.key == f"reply:whatsapp:{event}"))).one()
        options = " ".join(option["id"] for option in row.body.get("options", ()))
    told = await letters(web.database, key=f"reply:whatsapp:{event}")
    return f"{next(iter(told.values()))}\n{options}"


async def booked_in_the_chat(web: Web, number: str) -> str:
    await say(web, number, "halo")
    async with web.database.write() as session:
        contact = (await session.scalars(select(Contact).where(Contact.address == f"whatsapp:{number}"))).one()
        wanted = order(web.shop.local(web.now).replace(hour=14), services=(CHECK,), phone=number)
        made = await bookings.book(
            Context(session, web.shop, web.now),
            BookingRequest(
                order=wanted, customer_id=contact.customer_id, contact_id=contact.id, language="id", code="BK-CHAT0001"
            ),
        )
    return made.code


async def seen_on_the_web(web: Web) -> set[str]:
    _, body = await web.sari.get("/api/bookings/my-bookings")
    return {booking["_id"] for booking in body["data"]}


async def test_confirmed_number_joins_the_histories(web: Web) -> None:
    in_chat = await booked_in_the_chat(web, SARI)
    on_web = await web.book()
    assert await seen_on_the_web(web) == {on_web}  # a number alone joins nothing
    asked = await letters(web.database, kind="notice", channel="whatsapp")
    assert any(on_web in text and "Apa ini Kakak?" in text for text in asked.values())
    await say(web, SARI, tap=f"join:{on_web}")
    assert await seen_on_the_web(web) == {on_web, in_chat}
    assert on_web in await say(web, SARI, "booking saya")
    assert (await web.sari.get(f"/api/bookings/{in_chat}"))[0] == 200
    another = await web.book(scheduledDate="2026-11-25")
    assert (await web.row(another)).contact_id is not None  # the chat now gets notices of web bookings


async def test_web_booking_shows_up_in_a_later_chat(web: Web) -> None:
    on_web = await web.book()
    assert f"join:{on_web}" in await say(web, SARI, "booking saya")
    await say(web, SARI, tap=f"join:{on_web}")
    assert f"see:{on_web}" in await say(web, SARI, "booking saya")
    assert await seen_on_the_web(web) == {on_web}


async def test_denied_number_joins_nothing_and_tells_staff(web: Web) -> None:
    in_chat = await booked_in_the_chat(web, SARI)
    on_web = await web.book()
    await say(web, SARI, tap=f"stranger:{on_web}")
    assert await seen_on_the_web(web) == {on_web}
    assert (await web.sari.get(f"/api/bookings/{in_chat}"))[0] == 404


async def test_booking_with_other_number_joins_nothing(web: Web) -> None:
    on_web = await web.book()
    await booked_in_the_chat(web, TONO)
    for deed in ("join", "stranger"):
        assert "tidak ditemukan" in await say(web, TONO, tap=f"{deed}:{on_web}")
    assert await seen_on_the_web(web) == {on_web}
    async with web.database.read() as session:
        users = await session.scalars(select(Customer.clerk_user).where(Customer.phone == TONO))
        assert users.all() == [None]


async def test_second_web_account_cannot_join_a_joined_chat(web: Web) -> None:
    await web.book()
    on_web = await web.book(scheduledDate="2026-11-25")
    await say(web, SARI, tap=f"join:{on_web}")
    _, body = await web.tono.post("/api/bookings", wish(scheduledDate="2026-11-26"))
    assert "tidak ditemukan" in await say(web, SARI, tap=f"join:{body['data']['_id']}")
    assert len(await seen_on_the_web(web)) == 2


async def test_someone_elses_number_keeps_own_history(web: Web) -> None:
    """Sari books for Tono: his yes must not give him her data."""
    await say(web, TONO, "halo")
    own = await web.book()
    await say(web, SARI, tap=f"join:{own}")
    for_tono = await web.book(scheduledDate="2026-11-25", customerPhone=TONO)
    asked = await letters(web.database, address=f"whatsapp:{TONO}", kind="notice")
    assert not asked
    assert "tidak ditemukan" in await say(web, TONO, tap=f"join:{for_tono}")
    assert await seen_on_the_web(web) == {own, for_tono}


async def test_number_owner_is_asked_only_once(web: Web) -> None:
    await say(web, SARI, "halo")
    for day in ("24", "25", "26"):
        await web.book(scheduledDate=f"2026-11-{day}")
    asked = await letters(web.database, kind="notice", channel="whatsapp")
    assert len([text for text in asked.values() if "Apa ini Kakak?" in text]) == 1
