"""Work over REST: photos, costs, busy technicians, the catalogue."""

import io
from typing import Any

import pytest
from aiohttp import FormData
from asking import Web, wish
from PIL import Image
from workshop import ANDI, BUDI, SPEAKER

from core import media

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # the core's own tests know both


def photo(kind: str = "JPEG", size: tuple[int, int] = (640, 480), mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, kind)
    return out.getvalue()


def form(*files: tuple[str, bytes], **fields: str) -> FormData:
    data = FormData()
    for name, value in fields.items():
        data.add_field(name, value)
    for name, content in files:
        data.add_field("photos", io.BytesIO(content), filename=name, content_type="image/jpeg")
    return data


async def assigned(web: Web) -> str:
    code = await web.book()
    status, body = await web.rina.post(f"/api/bookings/{code}/assign-technician", {"technicianId": ANDI})
    assert status == 200, body
    return code


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_uploaded_photos_are_shown_by_signed_links(web: Web, kind: str) -> None:
    code = await assigned(web)
    data = form(("../../etc/passwd.html", photo(kind)), note="Pintu kiri")
    status, body = await web.andi.call("POST", f"/api/bookings/{code}/work-notes", data=data)
    assert status == 201
    [note] = body["data"]["workNotes"]
    [link] = note["photos"]
    assert note["note"] == "Pintu kiri"
    assert "passwd" not in link
    assert (await web.client.get(link)).status == 200
    assert (await web.client.head(link)).status == 200
    assert (await web.client.get(link.replace("sig=", "sig=0"))).status == 403


async def test_note_may_hold_links_and_files(web: Web) -> None:
    code = await assigned(web)
    data = form(("a.jpg", photo()), note="Dua foto", photos="https://photos.example/a.jpg")
    status, body = await web.andi.call("POST", f"/api/bookings/{code}/work-notes", data=data)
    assert status == 201
    links = body["data"]["workNotes"][0]["photos"]
    assert links[0] == "https://photos.example/a.jpg"
    assert links[1].startswith("/files/photo/")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"<html><script>alert(1)</script></html>", 400, "bad_photos"),
        (b"\xff\xd8\xff only begins like one", 400, "bad_photos"),
        (photo()[:2000], 400, "bad_photos"),  # truncated
        (photo("GIF"), 400, "bad_photos"),
        (b"", 400, "bad_photos"),
        (photo("PNG", (7000, 7000), "1"), 400, "bad_photos"),  # 49 megapixels in a few kilobytes
        (b"\xff\xd8\xff" + bytes(media.MOST_BYTES), 413, "too_large"),
    ],
)
async def test_other_file_than_photo_is_refused(web: Web, content: bytes, status: int, code: str) -> None:
    booking = await assigned(web)
    data = form(("a.jpg", content), note="Lihat")
    found, body = await web.andi.call("POST", f"/api/bookings/{booking}/work-notes", data=data)
    assert (found, body["code"]) == (status, code)
    _, shown = await web.andi.get(f"/api/bookings/{booking}")
    assert shown["data"]["workNotes"] == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"--x\r\n",
        b"--y\r\n\r\nhello\r\n--y--",
        b'--x\r\nContent-Disposition: form-data; name="\x05"\r\n\r\na\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n\xff\xfe\r\n--x--\r\n',
        b"--x\r\nContent-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\n\r\n--z--\r\n--x--\r\n",
    ],
)
async def test_unreadable_form_is_a_client_error(web: Web, raw: bytes) -> None:
    code = await assigned(web)
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    status, body = await web.andi.call("POST", f"/api/bookings/{code}/work-notes", data=raw, headers=headers)
    assert (status, body["success"]) == (400, False)


@pytest.mark.parametrize(
    "photos",
    [
        ["http://photos.example/a.jpg"],
        ["javascript:alert(1)"],
        ["0123456789abcdef0123456789abcdef.jpg"],  # a stored photo's key: over REST only links
        ["https://photos.example/a.jpg"] * 11,
    ],
)
async def test_only_web_links_count_as_photos(web: Web, photos: list[str]) -> None:
    code = await assigned(web)
    status, body = await web.andi.post(f"/api/bookings/{code}/work-notes", {"note": "Lihat", "photos": photos})
    assert (status, body["code"]) == (400, "bad_photos")


async def test_note_needs_text_or_a_photo(web: Web) -> None:
    code = await assigned(web)
    for wanted in ({}, {"note": "  "}, {"photos": []}):
        status, body = await web.andi.post(f"/api/bookings/{code}/work-notes", wanted)
        assert (status, body["code"]) == (400, "nothing_noted")


@pytest.mark.parametrize(
    ("cost", "status", "code"),
    [
        ({"description": "Kabel", "amount": 0}, 400, "bad_amount"),
        ({"description": "Kabel", "amount": -5}, 400, "bad_amount"),
        ({"description": "Kabel", "amount": 7_000_000_000}, 400, "bad_amount"),
        ({"description": "Kabel", "amount": 10**30}, 400, "invalid"),
        ({"description": "Kabel", "amount": 1.5}, 400, "invalid"),
        ({"description": " ", "amount": 1000}, 400, "invalid"),
        ({"amount": 1000}, 400, "invalid"),
    ],
)
async def test_cost_is_refused_with(web: Web, cost: dict[str, Any], status: int, code: str) -> None:
    booking = await assigned(web)
    found, body = await web.andi.post(f"/api/bookings/{booking}/additional-cost", cost)
    assert (found, body["code"]) == (status, code)


async def test_busy_technician_cannot_be_assigned(web: Web) -> None:
    await assigned(web)
    code = await web.book()
    status, body = await web.rina.post(f"/api/bookings/{code}/assign-technician", {"technicianId": ANDI})
    assert (status, body["code"]) == (409, "technician_busy")
    status, body = await web.rina.post(f"/api/bookings/{code}/assign-technician", {"technicianId": "nobody"})
    assert (status, body["code"]) == (404, "not_found")


@pytest.mark.parametrize("status", ["pending", "confirmed", "completed"])
async def test_confirmed_booking_only_moves_forward(web: Web, status: str) -> None:
    code = await assigned(web)
    found, body = await web.andi.call("PATCH", f"/api/bookings/{code}/status", {"status": status})
    assert (found, body["code"]) == (409, "invalid_transition")
    assert (await web.row(code)).status == "confirmed"


async def test_customers_cancel_before_work_admins_during_it(web: Web) -> None:
    code = await assigned(web)
    await web.andi.call("PATCH", f"/api/bookings/{code}/status", {"status": "in_progress"})
    status, body = await web.sari.post(f"/api/bookings/{code}/cancel", {"reason": "Batal"})
    assert (status, body["code"]) == (409, "invalid_transition")
    status, body = await web.rina.post(f"/api/bookings/{code}/cancel", {"reason": "Mobil mogok"})
    assert (status, body["data"]["cancellationReason"]) == (200, "Mobil mogok")


async def test_technicians_own_booking_is_not_their_job(web: Web) -> None:
    _, body = await web.budi.post("/api/bookings", wish(technicianId=ANDI))
    code = body["data"]["_id"]
    assert (await web.budi.get(f"/api/bookings/{code}"))[0] == 200
    status, body = await web.budi.call("PATCH", f"/api/bookings/{code}/status", {"status": "cancelled"})
    assert (status, body["code"]) == (403, "not_assigned")


# --- the catalogue's upkeep --------------------------------------------------------------------


async def test_part_is_added_changed_and_retired(web: Web) -> None:
    new = {
        "name": "Kabel RCA 5 m", "category": "kabel", "brand": "Lokal", "price": 50_000, "stock": 4, "discount": 10,
        "specifications": {"panjang": "5 m"}, "images": ["https://photos.example/rca.jpg"], "warranty": 3,
        "compatibleVehicles": [{"brand": "Toyota", "model": "Avanza", "year": "2015-2023"}],
    }  # fmt: skip
    status, body = await web.rina.post("/api/spareparts", new)
    part = body["data"]
    assert status == 201
    assert {name: part[name] for name in new} == new
    assert part["_id"].startswith("kabel-rca-5-m-")
    path = f"/api/spareparts/{part['_id']}"
    _, body = await web.rina.call("PUT", path, {"stock": 1, "isAvailable": True, "_id": "other", "unknown": 1})
    assert (body["data"]["stock"], body["data"]["price"], body["data"]["_id"]) == (1, 50_000, part["_id"])
    _, body = await web.nobody.get(f"{path}/stock")
    assert (body["data"]["status"], body["data"]["message"]) == ("low_stock", "Kabel RCA 5 m tinggal 1.")
    _, body = await web.nobody.get(f"{path}/compatibility?brand=toyota&model=avanza&year=2018")
    assert (body["data"]["isCompatible"], body["data"]["fit"]) == (True, "fits")
    _, body = await web.nobody.get(f"{path}/compatibility?brand=Honda&model=Jazz&year=2018")
    assert (body["data"]["isCompatible"], body["data"]["fit"], body["data"]["alternatives"]) == (None, "unknown", [])
    assert (await web.rina.call("DELETE", path))[0] == 200
    for method, body_ in (("GET", None), ("PUT", {"price": 1}), ("DELETE", None)):
        assert (await web.rina.call(method, path, body_))[0] == 404


async def test_booked_part_is_retired_not_erased(web: Web) -> None:
    code = await web.book(spareparts=[{"sparepartId": SPEAKER, "quantity": 1}], technicianId=BUDI)
    assert (await web.rina.call("DELETE", f"/api/spareparts/{SPEAKER}"))[0] == 200
    _, refused = await web.rina.call("DELETE", f"/api/technicians/{BUDI}")
    assert (refused["code"], code in refused["message"]) == ("technician_has_jobs", True)
    await web.sari.post(f"/api/bookings/{code}/cancel", {})
    assert (await web.rina.call("DELETE", f"/api/technicians/{BUDI}"))[0] == 200
    _, body = await web.sari.get(f"/api/bookings/{code}")
    assert body["data"]["spareparts"][0]["sparepart"]["name"] == "Speaker 6,5 inci"
    assert body["data"]["technician"]["name"] == "Budi"


async def test_admins_stock_is_what_can_still_be_sold(web: Web) -> None:
    await web.book(spareparts=[{"sparepartId": SPEAKER, "quantity": 2}])
    _, body = await web.nobody.get(f"/api/spareparts/{SPEAKER}/stock")
    assert (body["data"]["stock"], body["data"]["status"]) == (0, "out_of_stock")
    await web.rina.call("PUT", f"/api/spareparts/{SPEAKER}", {"stock": 3})
    _, body = await web.nobody.get(f"/api/spareparts/{SPEAKER}/stock")
    assert (body["data"]["stock"], body["data"]["status"]) == (3, "available")


@pytest.mark.parametrize(
    "change",
    [
        {"price": -1}, {"price": 10**12}, {"discount": 101}, {"stock": -1}, {"stock": 10**9}, {"category": "wheels"},
        {"images": ["javascript:alert(1)"]}, {"compatibleVehicles": [{"brand": "A", "model": "B", "year": "18"}]},
        {"specifications": {"x": {"nested": 1}}}, {"name": "\x00"}, {"warranty": "long"}, {"isAvailable": "perhaps"},
    ],
)  # fmt: skip
async def test_invalid_change_is_refused(web: Web, change: dict[str, Any]) -> None:
    status, body = await web.rina.call("PUT", f"/api/spareparts/{SPEAKER}", change)
    assert (status, body["code"]) == (400, "invalid")
    assert body["errors"][0]["field"].startswith(next(iter(change)))


# --- the workshop ------------------------------------------------------------------------------


async def test_slots_show_occupancy_and_room_for_a_long_job(web: Web) -> None:
    await web.book()
    _, body = await web.nobody.get("/api/workshop/timeslots?date=2026-11-24")
    slots = {slot["time"]: slot for slot in body["data"]}
    assert slots["10:00"] == {
        "time": "10:00",
        "bookingsCount": 1,
        "maxBookings": 3,
        "isAvailable": True,
        "reason": None,
    }
    assert (len(slots), slots["16:00"]["isAvailable"]) == (8, True)
    _, body = await web.nobody.get("/api/workshop/timeslots?date=2026-11-24&duration=120")
    assert {slot["time"] for slot in body["data"] if not slot["isAvailable"]} == {"16:00"}
    _, body = await web.nobody.get("/api/workshop/timeslots?date=2026-11-29")
    assert (body["data"], bool(body["message"])) == ([], True)
    for day in ("2026-02-30", "tomorrow", "", "9999-12-31", "0001-01-01"):
        assert (await web.nobody.get(f"/api/workshop/timeslots?date={day}"))[0] == 400
    for day in ("2000-01-01", "2099-12-31"):
        assert (await web.nobody.get(f"/api/workshop/timeslots?date={day}"))[0] == 200


async def test_busy_technicians_are_not_free(web: Web) -> None:
    await web.book(technicianId=ANDI)
    _, body = await web.nobody.get("/api/technicians/available?date=2026-11-24&time=10:00")
    assert {each["_id"] for each in body["data"]} == {"budi", "citra"}
    _, body = await web.nobody.get("/api/technicians/available?date=2026-11-24&time=09:00&duration=120")
    assert {each["_id"] for each in body["data"]} == {"budi", "citra"}
    _, body = await web.nobody.get("/api/technicians/available?date=2026-11-24&time=11:00")
    assert {each["_id"] for each in body["data"]} == {"andi", "budi", "citra"}


async def test_workshop_shows_its_hours(web: Web) -> None:
    _, body = await web.nobody.get("/api/workshop")
    told = body["data"]
    assert told["openingHours"]["monday"] == {"open": "09:00", "close": "17:00"}
    assert told["openingHours"]["sunday"] is None
    assert (told["timeSlots"][0], told["timeSlots"][-1], told["maxBookingsPerSlot"]) == ("09:00", "16:00", 3)
    assert told["coordinates"] == {
        "latitude": -6.2922, "longitude": 106.7972, "lat": -6.2922, "lng": 106.7972
    }  # fmt: skip
