"""What an admin books over REST belongs to the person it is for; a number's owner isn't pestered by claims on it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asking import Web, wish
from paying import letters
from sqlalchemy import func, select
from test_one_history import SARI, TONO, booked_in_the_chat, say, seen_on_the_web
from workshop import SPEAKER

from core.db.tables import Booking, BookingEvent, Contact, Customer, PaymentRequest
from core.people import contacts
from core.schedule import bookings


async def staff_books(web: Web, **changes: Any) -> str:
    status, body = await web.rina.post("/api/bookings", wish(**changes))
    assert status == 201, body
    return str(body["data"]["_id"])


async def owner_of(web: Web, code: str) -> Customer:
    async with web.database.read() as session:
        booking = await bookings.load(session, code=code)
        return await session.get_one(Customer, booking.customer_id)


async def test_booking_belongs_to_the_number_and_not_to_the_admin(web: Web) -> None:
    for_sari = await staff_books(web)
    for_tono = await staff_books(web, customerName="Tono", customerPhone=TONO, scheduledDate="2026-11-25")
    sari, tono = await owner_of(web, for_sari), await owner_of(web, for_tono)
    assert (sari.name, sari.phone, sari.clerk_user) == ("Sari Dewi", SARI, None)
    assert (tono.name, tono.phone, tono.clerk_user) == ("Tono", TONO, None)
    _, body = await web.rina.get("/api/bookings/my-bookings")
    assert body["total"] == 0
    again = await staff_books(web, scheduledDate="2026-11-26")
    assert (await owner_of(web, again)).id == sari.id
    async with web.database.read() as session:
        made_by = select(BookingEvent.actor).where(BookingEvent.kind == "created")
        assert set(await session.scalars(made_by)) == {"Ibu Rina"}


async def test_first_customer_to_write_sees_only_their_own(web: Web) -> None:
    for_sari = await staff_books(web)
    for_tono = await staff_books(web, customerName="Tono", customerPhone=TONO, scheduledDate="2026-11-25")
    listed = await say(web, SARI, "booking saya")
    assert f"see:{for_sari}" in listed
    assert for_tono not in listed
    assert "join:" not in listed
    assert (await web.row(for_sari)).contact_id is not None  # its notices go to the chat now
    for deed in ("join", "see"):
        assert "tidak ditemukan" in await say(web, SARI, tap=f"{deed}:{for_tono}")


async def test_known_customer_is_asked_for_the_money_in_their_chat(web: Web) -> None:
    in_chat = await booked_in_the_chat(web, SARI)
    code = await staff_books(web, customerName="Bu Sari")
    owner = await owner_of(web, code)
    assert owner.id == (await owner_of(web, in_chat)).id
    await staff_books(web, customerName="Ibu S.", scheduledDate="2026-11-25")
    assert (await owner_of(web, code)).name == "Bu Sari"  # staff changes no name that is known
    async with web.database.read() as session:
        asked = select(func.count()).select_from(PaymentRequest).join(Booking).where(Booking.code == code)
        assert await session.scalar(asked) == 1


async def test_number_that_a_stranger_claims_gets_nothing(web: Web) -> None:
    """Neither a web account nor a chat gets what staff books, by saying that the number is theirs."""
    await web.book()
    code = await staff_books(web, scheduledDate="2026-11-25")
    assert (await owner_of(web, code)).clerk_user is None
    assert code not in await seen_on_the_web(web)
    assert (await web.sari.get(f"/api/bookings/{code}"))[0] == 404


async def test_shared_number_brings_what_staff_booked(web: Web) -> None:
    """On Telegram the number is proven later than the first message."""
    code = await staff_books(web)
    async with web.database.write() as session:
        chat, _, _ = await contacts.find_or_create(session, "telegram", "1", phone=None, language="id", now=web.now)
        await contacts.prove_phone(session, chat, SARI)
    owner = await owner_of(web, code)
    assert (owner.phone, owner.phone_proven) == (SARI, True)
    async with web.database.read() as session:
        assert await session.scalar(select(Contact.customer_id)) == owner.id
    assert (await web.row(code)).contact_id is not None


@pytest.mark.parametrize("attempt", range(3))
async def test_number_proven_while_staff_books_for_it(web: Web, attempt: int) -> None:
    calls = [staff_books(web, scheduledDate=f"2026-11-2{4 + number}") for number in range(3)]
    *codes, _ = await asyncio.gather(*calls, say(web, SARI, "halo"))
    assert len({(await owner_of(web, str(code))).id for code in codes}) == 1
    assert (await owner_of(web, str(codes[0]))).phone_proven
    listed = await say(web, SARI, "booking saya")
    assert all(f"see:{code}" in listed for code in codes)


# --- walk-ins ----------------------------------------------------------------------------------


async def test_walk_in_needs_no_phone(web: Web) -> None:
    wanted = {"walkIn": True, "customerPhone": "", "customerEmail": "", "paymentMethod": "cod"}
    first = await staff_books(web, **wanted)
    second = await staff_books(web, **wanted, customerName="", scheduledDate="2026-11-25")
    _, body = await web.rina.get(f"/api/bookings/{second}")
    assert (body["data"]["customerName"], body["data"]["customerPhone"], body["data"]["user"]) == ("Walk-in", "", None)
    assert (await owner_of(web, first)).id != (await owner_of(web, second)).id
    status, _ = await web.rina.post(f"/api/bookings/{first}/assign-technician", {"technicianId": "andi"})
    assert status == 200


@pytest.mark.parametrize(
    ("person", "changes", "field"),
    [
        ("rina", {"customerPhone": ""}, "customerPhone"),
        ("rina", {"customerPhone": "", "walkIn": False}, "customerPhone"),
        ("rina", {"customerName": ""}, "customerName"),
        ("sari", {"customerPhone": "", "walkIn": True}, "customerPhone"),
        ("andi", {"customerPhone": "", "walkIn": True}, "customerPhone"),
    ],
)
async def test_others_need_name_and_phone(web: Web, person: str, changes: dict[str, Any], field: str) -> None:
    status, body = await getattr(web, person).post("/api/bookings", wish(**changes))
    assert (status, [error["field"] for error in body["errors"]]) == (400, [field])
    assert body["message"] == f"{field}: Wajib diisi."


async def test_limits_for_customers_do_not_bind_staff(web: Web) -> None:
    web.now += timedelta(hours=1, minutes=30)  # 09:30: an hour's notice would be 10:30
    soon = {"scheduledDate": "2026-11-23", "scheduledTime": "10:00"}
    parts = {"spareparts": [{"sparepartId": SPEAKER, "quantity": 1}], "paymentMethod": "cod"}
    assert (await web.sari.post("/api/bookings", wish(**soon)))[0] == 409
    assert (await web.sari.post("/api/bookings", wish(**parts)))[0] == 400
    await staff_books(web, **soon, **parts)
    for _ in range(2):
        await staff_books(web, **soon)
    status, body = await web.rina.post("/api/bookings", wish(**soon))  # never past capacity
    assert (status, body["code"]) == (409, "slot_full")


# --- claims on a number ------------------------------------------------------------------------


async def questions(web: Web) -> list[str]:
    sent = await letters(web.database, kind="notice", channel="whatsapp")
    return [text for text in sent.values() if "Apa ini Kakak?" in text]


async def test_owner_is_asked_about_claims_once_a_week(web: Web) -> None:
    await say(web, SARI, "halo")
    for number in range(4):
        status, _ = await web.as_user(f"user_{number}").post(
            "/api/bookings", wish(scheduledDate=f"2026-11-2{4 + number}")
        )
        assert status == 201
    assert len(await questions(web)) == 1
    web.now += timedelta(days=6, hours=23)
    await web.tono.post("/api/bookings", wish(scheduledDate="2026-12-02"))
    assert len(await questions(web)) == 1
    web.now += timedelta(hours=2)
    await web.tono.post("/api/bookings", wish(scheduledDate="2026-12-03"))
    assert len(await questions(web)) == 2


async def test_claims_at_once_ask_once(web: Web) -> None:
    await say(web, SARI, "halo")
    days = ("24", "25", "26", "27")
    await asyncio.gather(
        *(web.as_user(f"user_{day}").post("/api/bookings", wish(scheduledDate=f"2026-11-{day}")) for day in days)
    )
    assert len(await questions(web)) == 1


async def test_question_repeats_nothing_that_the_claimant_wrote(web: Web) -> None:
    await say(web, SARI, "halo")
    car = {"brand": "TRANSFER KE", "model": "BCA 123", "year": 2018, "plateNumber": "PENIPU"}
    await web.tono.post("/api/bookings", wish(customerName="Hubungi 0899 111", vehicleInfo=car))
    told = " ".join((await letters(web.database, channel="whatsapp")).values()) + await say(web, SARI, "booking saya")
    assert not any(words in told for words in ("0899", "TRANSFER", "BCA", "PENIPU"))


async def test_staff_account_can_not_be_joined(web: Web) -> None:
    """A technician's own booking with a customer's number, and what admins booked before."""
    await say(web, SARI, "halo")
    _, body = await web.budi.post("/api/bookings", wish())
    code = body["data"]["_id"]
    assert await questions(web) == []
    assert "join:" not in await say(web, SARI, "booking saya")
    assert "tidak ditemukan" in await say(web, SARI, tap=f"join:{code}")
