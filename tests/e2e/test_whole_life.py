"""A job from booking to rating over real HTTP: by REST, by chat, and on each database by both."""

import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import pytest
from aiohttp import FormData
from booking_by_phone import book, link_in, says, sees, taps
from on_the_web import Visitor, visiting
from PIL import Image
from pypdf import PdfReader
from town import Town

from bot.sandbox.phones import Bubble, Person


class Pages(NamedTuple):
    """The signed-in users of the web front end."""

    customer: Visitor
    admin: Visitor
    technician: Visitor


@pytest.fixture
async def web(town: Town) -> AsyncIterator[Pages]:
    async with AsyncExitStack() as stack:
        yield Pages(*[await stack.enter_async_context(visiting(town, user)) for user in Pages._fields])


@pytest.mark.parametrize("closed_town", ["postgres"], indirect=True)
async def test_a_job_by_rest(town: Town, web: Pages) -> None:
    booking = await book_on_the_web(web.customer, email="sari@example.com")
    code, job = booking["_id"], f"/api/bookings/{booking['_id']}"
    assert (booking["totalPrice"], booking["bookingStatus"]) == (914_100, "pending")

    await pay_on_the_web(town, web.customer, code, paymentType="dp", dpPercent=50)
    booking = await web.customer.until(code, bookingStatus="confirmed", paymentStatus="dp_paid")
    assert booking["paidAmount"] == booking["remainingPayment"] == 457_050

    await web.admin.post(f"{job}/assign-technician", technicianId="dedi")
    await web.technician.move(code, "in_progress")
    await web.technician.send(f"{job}/work-notes", note_with_a_photo("Panel pintu kiri dibuka"))
    await web.technician.post(f"{job}/work-notes", note="Kabel asli", photos=["https://photos.example/kabel.jpg"])
    booking = await web.technician.post(f"{job}/additional-cost", description="Kabel RCA 5 m", amount=75_000)
    assert (booking["totalPrice"], booking["remainingPayment"]) == (989_100, 532_050)

    await pay_on_the_web(town, web.customer, code, paymentType="full")
    await web.customer.until(code, paymentStatus="paid", remainingPayment=0)
    await web.technician.move(code, "completed")

    [mine] = await web.customer.get("/api/bookings/my-bookings")
    assert (mine["_id"], mine["bookingStatus"], mine["paidAmount"]) == (code, "completed", 989_100)
    assert [cost["description"] for cost in mine["additionalCosts"]] == ["Kabel RCA 5 m"]
    assert mine["spareparts"][0]["warrantyEndDate"] == mine["warrantyEndDate"] == "2027-11-23"
    [stored], [linked] = (note["photos"] for note in mine["workNotes"])
    assert (await web.customer.load(stored), linked) == (PICTURE, "https://photos.example/kabel.jpg")
    printed = printed_in(await web.customer.load(mine["invoiceUrl"]))
    assert "Sari Dewi" in printed
    assert code in printed
    figures = await web.admin.get("/api/bookings/statistics/dashboard")
    assert (figures["completedBookings"], figures["totalRevenue"]) == (1, 989_100)


@pytest.mark.parametrize("closed_town", ["sqlite"], indirect=True)
async def test_a_job_by_chat(town: Town) -> None:
    customer, dedi = town.telegram, town.dedi
    code = await booked_and_paid(town, customer)
    await says(town.owner, f"tugaskan {code}", "Siapa yang mengerjakan")
    await taps(town.owner, "Dedi", "Sudah ditugaskan")
    await sees(dedi, "Tugas baru")
    await worked_with_a_cost(customer, dedi, code)
    await pays(town, await sees(customer, "Ini link untuk sisa"))
    await sees(customer, "Rp75.000 sudah kami terima")
    await says(dedi, f"selesai {code}", "Pelanggan sudah diberi tahu")
    completed = await sees(customer, "sudah selesai")
    assert "JBL Stage3 627F" in completed.text.partition("Kartu garansi")[2]
    supplement = await sees(customer, "invoice untuk biaya tambahannya")
    assert supplement.media is not None
    assert "Kabel RCA 5 m" in printed_in(supplement.media.content)

    town.clock.move(days=1, minutes=1)
    await sees(customer, "bagaimana hasil pengerjaan")
    await taps(customer, "⭐⭐⭐⭐⭐", "Terima kasih untuk ⭐⭐⭐⭐⭐")
    async with visiting(town) as anybody:
        team = {worker["name"]: worker for worker in await anybody.get("/api/technicians")}
    assert (team["Dedi"]["rating"], team["Dedi"]["totalJobs"]) == (5, 1)


async def test_a_job_by_chat_and_rest(town: Town, web: Pages) -> None:
    customer, dedi = town.whatsapp, town.dedi
    code = await booked_and_paid(town, customer, share="dp 30")
    assigned = await web.admin.post(f"/api/bookings/{code}/assign-technician", technicianId="dedi")
    assert (assigned["technician"]["name"], assigned["paymentStatus"]) == ("Dedi", "dp_paid")
    await sees(customer, "adalah Dedi")
    await sees(dedi, "Tugas baru")
    await worked_with_a_cost(customer, dedi, code)
    rest = await sees(customer, "Ini link untuk sisa")
    assert "Rp714.870" in rest.text  # 70 % of 914.100, and the cost
    await pays(town, rest)
    await sees(customer, "Rp714.870 sudah kami terima")
    await says(dedi, f"selesai {code}", "Pelanggan sudah diberi tahu")
    await sees(customer, "sudah selesai")

    assert await web.customer.get("/api/bookings/my-bookings") == []
    on_web = await book_on_the_web(web.customer, phone=customer.phone)
    await sees(customer, "Apa ini Kakak?")
    await taps(customer, "Ya, itu saya", "sekarang jadi satu")
    newer, older = await web.customer.get("/api/bookings/my-bookings")
    assert (newer["_id"], older["_id"]) == (on_web["_id"], code)
    assert (older["bookingStatus"], older["paymentStatus"], older["paidAmount"]) == ("completed", "paid", 989_100)
    assert (await web.customer.load(older["workNotes"][0]["photos"][0])) == PICTURE


async def booked_and_paid(town: Town, customer: Person, **wanted: Any) -> str:
    """Book and pay in the chat; returns the code."""
    await pays(town, await book(customer, **wanted))
    await sees(customer, "terkonfirmasi")
    [booking] = await town.bookings()
    return booking.code


async def pays(town: Town, link: Bubble) -> None:
    await town.there.midtrans.pay(link_in(link), "other_qris")


async def worked_with_a_cost(customer: Person, technician: Person, code: str) -> None:
    """Start the job, add a note with a photo, and an additional cost that the customer accepts."""
    await says(technician, f"mulai {code}", "Tercatat mulai dikerjakan")
    await sees(customer, "mulai kami kerjakan")
    await taps(technician, "Catatan & foto", "Tulis catatannya")
    await technician.send_photo(PICTURE)
    await sees(technician, "1 foto")
    await says(technician, "selesai", "Catatan tersimpan")
    await sees(customer, "Kabar pengerjaan")
    await taps(technician, "Biaya tambahan", "Biaya tambahan untuk apa")
    await says(technician, "Kabel RCA 5 m", "Berapa biayanya")
    await says(technician, "75rb", "Kirim fotonya")
    await taps(technician, "Lewati", "Tanyakan ke pelanggan")
    await taps(technician, "Kirim ke pelanggan", "Sudah ditanyakan ke pelanggan")
    await sees(customer, "Kabel RCA 5 m: Rp75.000")
    await taps(customer, "Setuju", "kami tambahkan ke pengerjaan")
    await sees(technician, "pelanggan setuju")


async def book_on_the_web(customer: Visitor, *, phone: str | None = None, email: str | None = None) -> Any:
    """Book a speaker and its installation on Wednesday, in the first free slot."""
    [part] = await customer.get("/api/spareparts", search="stage3 627")
    service = next(each for each in await customer.get("/api/services") if each["name"].startswith("Pasang Speaker ("))
    slots = await customer.get("/api/workshop/timeslots", date="2026-11-25", duration=str(service["estimatedDuration"]))
    free = next(slot["time"] for slot in slots if slot["isAvailable"])
    return await customer.post(
        "/api/bookings",
        customerName="Sari Dewi",
        customerPhone=phone or "081234567890",
        customerEmail=email,
        vehicleInfo={"brand": "Toyota", "model": "Avanza", "year": 2018},
        spareparts=[{"sparepartId": part["_id"], "quantity": 1}],
        services=[{"serviceId": service["_id"]}],
        scheduledDate="2026-11-25",
        scheduledTime=free,
        serviceLocation="workshop",
        paymentMethod="ewallet",
    )


async def pay_on_the_web(town: Town, customer: Visitor, code: str, **wanted: Any) -> None:
    link = await customer.post(f"/api/bookings/{code}/payment", **wanted)
    await town.there.midtrans.pay(link["snapToken"])


def note_with_a_photo(words: str) -> FormData:
    form = FormData({"note": words})
    form.add_field("photos", io.BytesIO(PICTURE), filename="pintu.jpg", content_type="image/jpeg")
    return form


def printed_in(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), "navy").save(out, "JPEG")
    return out.getvalue()


PICTURE = _picture()
