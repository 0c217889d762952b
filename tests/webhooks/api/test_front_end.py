"""What existing front ends send, and read (api.md): forms, names, filters, sentences."""

import io
import re
from typing import Any

import pytest
from aiohttp import FormData
from asking import Caller, Web, wish
from shops import make_shop
from sqlalchemy import update
from test_work_api import photo
from workshop import AMPLIFIER, ANDI, INSTALL, SPEAKER

from core import shop_settings
from core.db.tables import Part, Service
from core.people import retention
from core.shop import WEEKDAYS, Shop

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
CABLE = {"name": "Kabel RCA 5 m", "category": "kabel", "brand": "Lokal", "price": "50000"}


@pytest.fixture
def pkp() -> bool:
    """Whether the shop charges PPN."""
    return False


@pytest.fixture
def shop(shop: Shop, pkp: bool) -> Shop:
    return shop.model_copy(update={"charge_ppn": pkp})


def form(fields: dict[str, str | list[str]], **files: bytes) -> FormData:
    data = FormData(default_to_multipart=True)
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            data.add_field(name, each)
    for name, content in files.items():
        data.add_field(name, io.BytesIO(content), filename="a.jpg" if content else "", content_type="image/jpeg")
    return data


async def sent(caller: Caller, method: str, path: str, fields: Any, **files: bytes) -> dict[str, Any]:
    status, body = await caller.call(method, path, data=form(fields, **files))
    assert status in (200, 201), body
    assert body["message"]
    data: dict[str, Any] = body["data"]
    return data


# --- forms -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"stock": "4", "discount": "10", "warranty": "3"}, {"stock": 4, "discount": 10, "warranty": 3}),
        ({"price": "1.250.000"}, {"price": 1_250_000}),
        ({"price": "Rp 50.000"}, {"price": 50_000}),
        ({"isAvailable": "false", "isPreOrderOnly": "true"}, {"isAvailable": False, "isPreOrderOnly": True}),
        ({"isAvailable": "on"}, {"isAvailable": True}),
        ({"specifications": '{"panjang": "5 m"}'}, {"specifications": {"panjang": "5 m"}}),
        ({"specifications[panjang]": "5 m"}, {"specifications": {"panjang": "5 m"}}),
        ({"images": "https://p.example/a.jpg"}, {"images": ["https://p.example/a.jpg"]}),
        ({"images": ["https://p.example/a.jpg", "https://p.example/b.jpg"]}, {"images": ["https://p.example/a.jpg", "https://p.example/b.jpg"]}),
        ({"images[]": "https://p.example/a.jpg"}, {"images": ["https://p.example/a.jpg"]}),
        ({"compatibleVehicles": '[{"brand": "Toyota", "model": "Avanza", "year": "2018-"}]'}, {"compatibleVehicles": [{"brand": "Toyota", "model": "Avanza", "year": "2018-"}]}),
        ({"compatibleVehicles[0][brand]": "Toyota", "compatibleVehicles[0][model]": "Avanza", "compatibleVehicles[0][year]": "2018"}, {"compatibleVehicles": [{"brand": "Toyota", "model": "Avanza", "year": "2018"}]}),
        ({"stock": "", "discount": " ", "images": "", "specifications": ""}, {"stock": 0, "discount": 0, "images": []}),
    ],
)  # fmt: skip
async def test_part_is_added_by_a_form(web: Web, fields: dict[str, Any], shown: dict[str, Any]) -> None:
    made = await sent(web.rina, "POST", "/api/spareparts", CABLE | fields)
    assert {name: made[name] for name in shown} == shown


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"price": "mahal"}, "price"),
        ({"price": "12.5"}, "price"),
        ({"isAvailable": "perhaps"}, "isAvailable"),
        ({"specifications": "[" * 5000}, "specifications"),
        ({"compatibleVehicles": "Avanza"}, "compatibleVehicles.0"),
        ({"images": "javascript:alert(1)"}, "images.0"),
    ],
)
async def test_invalid_form_is_refused(web: Web, fields: dict[str, Any], wrong: str) -> None:
    status, body = await web.rina.call("POST", "/api/spareparts", data=form(CABLE | fields))
    assert (status, body["errors"][0]["field"]) == (400, wrong)


@pytest.mark.parametrize("fields", [{"name": "a", "name[b]": "c"}, {"name[a]": "b", "name[a][c]": "d"}])
async def test_contradicting_form_is_refused(web: Web, fields: dict[str, Any]) -> None:
    status, body = await web.rina.call("POST", "/api/spareparts", data=form(fields))
    assert (status, body["code"]) == (400, "bad_request")


async def test_pictures_of_parts_are_kept_and_shown(web: Web) -> None:
    part = await sent(web.rina, "POST", "/api/spareparts", CABLE, images=photo())
    [link] = part["images"]
    assert (await web.client.get(link)).status == 200
    path = f"/api/spareparts/{part['_id']}"
    # The form sends back what it was shown, and a picture more.
    part = await sent(web.rina, "PUT", path, {"images": [link, "https://p.example/b.jpg"]}, images=photo("PNG"))
    assert len(part["images"]) == 3
    async with web.database.read() as session:
        stored = (await session.get_one(Part, part["_id"])).images
        assert len(await retention.photos_named(session)) == 2
    assert re.fullmatch(r"[0-9a-f]{32}\.jpg", stored[0])  # not the link, which expires
    part = await sent(web.rina, "PUT", path, {"price": "60000"}, images=b"")  # no file was chosen
    assert (part["price"], len(part["images"])) == (60_000, 3)
    _, body = await web.nobody.get("/api/spareparts?search=RCA")
    assert body["data"][0]["images"] == part["images"]
    status, body = await web.rina.call("PUT", path, data=form({}, images=b"<html>"))
    assert (status, body["code"]) == (400, "bad_photos")


async def test_services_and_technicians_take_forms(web: Web) -> None:
    made = await sent(web.rina, "POST", "/api/services", {
        "name": "Cek aki", "category": "repair", "price": "20000", "estimatedDuration": "15",
        "includedItems": ["Cek tegangan", "Cek air"], "isAvailable": "true",
    })  # fmt: skip
    assert (made["estimatedDuration"], made["includedItems"]) == (15, ["Cek tegangan", "Cek air"])
    made = await sent(web.rina, "PUT", f"/api/services/{made['_id']}", {"price": "25000", "description": "Cepat"})
    assert (made["price"], made["estimatedDuration"], made["description"]) == (25_000, 15, "Cepat")
    made = await sent(web.rina, "PUT", f"/api/services/{made['_id']}", {"price": "", "description": ""})
    assert (made["price"], made["description"]) == (25_000, "")
    made = await sent(
        web.rina, "POST", "/api/technicians", {"name": "Doni", "specialization": "audio, dsp"}, photo=photo()
    )
    assert made["specialization"] == ["audio", "dsp"]
    assert (await web.client.get(made["photoUrl"])).status == 200
    made = await sent(web.rina, "PUT", f"/api/technicians/{made['_id']}", {"phone": "0812 3456 7890"})
    status, seen = await web.nobody.get(f"/api/technicians/{made['_id']}")
    assert (status, seen["data"]["name"], seen["data"]["phone"]) == (200, "Doni", None)
    assert (await web.nobody.get("/api/technicians/nobody"))[0] == 404
    assert (await web.nobody.get("/api/technicians/available?date=2026-11-24&time=10:00"))[0] == 200


# --- stock -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status", "result"),
    [
        ({"stock": 7}, 200, 6),  # one of the pieces on the shelf is sold
        ({"stock": "7"}, 200, 6),
        ({"delta": 5}, 200, 6),
        ({"delta": -1}, 200, 0),
        ({"delta": -2}, 409, "stock_promised"),
        ({"stock": 0}, 409, "stock_promised"),
        ({"delta": 100_000}, 400, "bad_stock"),
        ({"stock": -1}, 400, "invalid"),
        ({}, 400, "invalid"),
        ({"stock": 1, "delta": 1}, 400, "invalid"),
    ],
)
async def test_stock_is_counted_or_received(web: Web, change: dict[str, Any], status: int, result: Any) -> None:
    await web.book(spareparts=[{"sparepartId": SPEAKER, "quantity": 1}])
    found, body = await web.rina.call("PATCH", f"/api/spareparts/{SPEAKER}/stock", change)
    assert (found, body["data"]["stock"] if found == 200 else body["code"]) == (status, result)


async def test_stale_form_does_not_undo_sales(web: Web) -> None:
    path = f"/api/spareparts/{SPEAKER}"
    _, loaded = await web.rina.get(path)
    assert loaded["data"]["stock"] == 2
    for day in ("24", "25"):
        await web.book(spareparts=[{"sparepartId": SPEAKER, "quantity": 1}], scheduledDate=f"2026-11-{day}")
    status, body = await web.rina.call("PUT", path, loaded["data"] | {"price": 1_000})
    assert (status, body["data"]["price"], body["data"]["stock"]) == (200, 1_000, 0)
    assert "2 terjual" in body["message"]
    _, body = await web.rina.call("PUT", path, {"stock": 1})  # loaded after the first sale
    assert body["data"]["stock"] == 0
    _, body = await web.rina.call("PUT", path, {"stock": 9})
    assert body["data"]["stock"] == 9


async def test_completed_sales_are_not_undone_either(web: Web) -> None:
    code = await web.book(spareparts=[{"sparepartId": SPEAKER, "quantity": 1}], technicianId=ANDI)
    await web.pay(code)
    for status in ("in_progress", "completed"):
        assert (await web.rina.call("PATCH", f"/api/bookings/{code}/status", {"status": status}))[0] == 200
    _, body = await web.rina.call("PUT", f"/api/spareparts/{SPEAKER}", {"stock": 2})
    assert body["data"]["stock"] == 1


# --- names and sentences -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "change", "message"),
    [
        ("id", {"customerPhone": "hello"}, "customerPhone: Harus berupa nomor HP, seperti 0812 3456 7890."),
        ("en", {"customerPhone": "hello"}, "customerPhone: Must be a mobile number, such as 0812 3456 7890."),
        ("id", {"customerName": ""}, "customerName: Wajib diisi."),
        ("id", {"serviceLocation": "home"}, "serviceLocation: Pilihannya: workshop atau onsite."),
        ("en", {"serviceLocation": "home"}, "serviceLocation: One of: workshop or onsite."),
        ("id", {"bookingType": "x"}, "bookingType: Pilihannya: sparepart_only, service_only atau sparepart_and_service."),
    ],
)  # fmt: skip
async def test_message_names_the_first_wrong_field(
    web: Web, language: str, change: dict[str, Any], message: str
) -> None:
    headers = {"Accept-Language": language}
    status, body = await web.sari.post("/api/bookings", wish(**change), headers=headers)
    assert (status, body["code"], body["message"]) == (400, "invalid", message)


async def test_blank_text_and_null_count_as_not_given(web: Web) -> None:
    blank = wish(
        customerEmail="", technicianId="", onsiteAddress=" ", bookingType="", spareparts=None, serviceLocation="",
        vehicleInfo={"brand": "Toyota", "model": "Avanza", "year": 2018, "plateNumber": ""},
    )  # fmt: skip
    status, body = await web.sari.post("/api/bookings", blank)
    made = body["data"]
    assert (status, made["customerEmail"], made["technicianId"], made["serviceLocation"]) == (
        201,
        None,
        None,
        "workshop",
    )
    assert made["vehicleInfo"] == {"brand": "Toyota", "model": "Avanza", "year": "2018", "plateNumber": None}


@pytest.mark.parametrize(
    ("sent", "day"),
    [
        ("2026-11-24T00:00:00.000Z", "2026-11-24"),
        ("2026-11-23T17:00:00.000Z", "2026-11-24"),  # midnight in Jakarta
        ("2026-11-24T10:00:00+07:00", "2026-11-24"),
        ("2026-11-24T10:00", "2026-11-24"),
    ],
)
async def test_date_may_be_a_moment(web: Web, sent: str, day: str) -> None:
    code = await web.book(scheduledDate=sent)
    _, body = await web.sari.get(f"/api/bookings/{code}")
    assert (body["data"]["scheduledDate"], body["data"]["scheduledTime"]) == (day, "10:00")
    later = {"scheduledDate": "2026-11-24T17:00:00.000Z", "scheduledTime": "11:00"}
    _, body = await web.sari.post(f"/api/bookings/{code}/reschedule", later)
    assert body["data"]["scheduledDate"] == "2026-11-25"


async def test_notes_and_costs_say_who_added_them(web: Web) -> None:
    code = await web.book(technicianId=ANDI)
    await web.rina.post(f"/api/bookings/{code}/assign-technician", {"technicianId": ANDI})
    await web.andi.post(f"/api/bookings/{code}/work-notes", {"note": "Mulai"})
    _, body = await web.rina.post(f"/api/bookings/{code}/additional-cost", {"description": "Kabel", "amount": "5000"})
    for added, by in ((body["data"]["workNotes"], "Andi"), (body["data"]["additionalCosts"], "Ibu Rina")):
        assert [(each["addedBy"], each["addedAt"]) for each in added] == [(by, "2026-11-23T08:00:00+07:00")]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=all", True), ("status=all&paymentStatus=all", True), ("status=confirmed", False),
        ("search=sari", True), ("search=DEWI", True), ("search=budi", False), ("search=%25", False),
        ("search=0812-3456", True), ("search=%2B62812", True), ("search=812 3456 7890", True), ("search=0899", False),
        ("search=b1234", True), ("search=B 1234 XYZ", True), ("search=4321", False), ("search=bk-", True), ("search=", True),
    ],
)  # fmt: skip
async def test_bookings_are_searched(web: Web, query: str, found: bool) -> None:
    code = await web.book()
    status, body = await web.rina.get(f"/api/bookings?{query}")
    assert (status, [each["_id"] for each in body["data"]], body["total"]) == (200, [code] * found, int(found))


async def test_all_is_no_filter_in_the_catalogue(web: Web) -> None:
    for path in ("spareparts?category=all&brand=all", "services?category=all", "technicians?specialization=all"):
        _, body = await web.nobody.get(f"/api/{path}")
        assert body["total"] > 1


@pytest.mark.parametrize("pkp", [False, True])
async def test_lines_add_up_to_what_is_charged(pkp: bool, web: Web) -> None:
    async with web.database.write() as session:
        await session.execute(update(Part).where(Part.id == AMPLIFIER).values(price=333_333, discount=15))
        await session.execute(update(Service).where(Service.id == INSTALL).values(discount=7))
    code = await web.book(
        spareparts=[{"sparepartId": SPEAKER, "quantity": 2}, {"sparepartId": AMPLIFIER, "quantity": 3}],
        serviceLocation="onsite",
        onsiteAddress="Jl. Kenanga 5",
    )
    await web.rina.post(f"/api/bookings/{code}/assign-technician", {"technicianId": ANDI})
    cost = {"description": "Kabel", "amount": 12_345}
    _, body = await web.rina.post(f"/api/bookings/{code}/additional-cost", cost)
    shown = body["data"]
    amplifier = next(line for line in shown["spareparts"] if line["sparepartId"] == AMPLIFIER)
    assert (amplifier["price"], amplifier["listPrice"], amplifier["discount"]) == (283_333, 333_333, 15)

    def added_up(lines: list[dict[str, Any]]) -> int:
        return sum(line["price"] * line["quantity"] for line in lines)

    assert added_up(shown["spareparts"]) == shown["subtotalSpareparts"]
    assert added_up(shown["services"]) == shown["subtotalServices"]
    costs = sum(each["amount"] for each in shown["additionalCosts"])
    parts = shown["subtotalSpareparts"] + shown["subtotalServices"] + shown["onsiteFee"] + costs
    assert parts + shown["taxAmount"] == shown["totalPrice"]
    assert (shown["taxAmount"] > 0) is pkp


# --- the workshop ------------------------------------------------------------------------------


async def test_workshop_is_changed_by_what_its_form_sends(web: Web) -> None:
    _, loaded = await web.nobody.get("/api/workshop")
    shown = loaded["data"]
    hours = shown["openingHours"] | {
        "monday": {"open": "08:00", "close": "12:00"},
        "sunday": {"open": "10:00", "close": "12:00"},
    }
    change = shown | {"name": "Bengkel Baru", "openingHours": hours, "maxBookingsPerSlot": 1, "description": ""}
    status, body = await web.rina.call("PUT", "/api/workshop", change | {"coordinates": {"lat": -6.1, "lng": 106.5}})
    assert (status, body["message"]) == (200, "Bengkelnya sudah disimpan.")
    _, again = await web.nobody.get("/api/workshop")
    assert again["data"] == body["data"]
    assert (body["data"]["name"], body["data"]["address"]) == ("Bengkel Baru", shown["address"])
    assert body["data"]["openingHours"] == hours
    assert body["data"]["coordinates"] == {"latitude": -6.1, "longitude": 106.5, "lat": -6.1, "lng": 106.5}
    _, slots = await web.nobody.get("/api/workshop/timeslots?date=2026-11-29")  # a Sunday
    assert [(slot["time"], slot["maxBookings"]) for slot in slots["data"]] == [("10:00", 1), ("11:00", 1)]
    async with web.database.read() as session:  # as the next start does
        assert (await shop_settings.load(session, make_shop())).name == "Bengkel Baru"
    await web.book()
    assert (await web.tono.post("/api/bookings", wish()))[1]["code"] == "slot_full"
    _, body = await web.rina.call("PUT", "/api/workshop", {"openingHours": {"sunday": None}})
    assert (body["data"]["openingHours"]["sunday"], body["data"]["name"]) == (None, "Bengkel Baru")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"openingHours": {"monday": {"open": "17:00", "close": "09:00"}}}, "invalid"),
        ({"openingHours": {"someday": None}}, "invalid"),
        ({"openingHours": dict.fromkeys(WEEKDAYS)}, "never_open"),
        ({"maxBookingsPerSlot": 0}, "invalid"),
        ({"coordinates": {"lat": 91, "lng": 0}}, "invalid"),
        ({"coordinates": {"lat": "NaN", "lng": 0}}, "invalid"),
        ({"email": "nobody"}, "invalid"),
    ],
)
async def test_invalid_workshop_is_refused(web: Web, change: dict[str, Any], code: str) -> None:
    status, body = await web.rina.call("PUT", "/api/workshop", change)
    assert (status, body["code"]) == (400, code)
    assert (await web.nobody.get("/api/workshop"))[1]["data"]["maxBookingsPerSlot"] == 3
