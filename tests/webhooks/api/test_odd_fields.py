"""What odd front ends send, and whether the answer says what is wrong with it."""

from typing import Any

import pytest
from aiohttp import FormData
from asking import Web, wish
from workshop import SPEAKER

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
VAGUE = ("Isian ini tidak sesuai.", "This value isn't right.")


@pytest.mark.parametrize(
    "change",
    [
        {"price": 50_000.5},
        {"price": 1e30},
        {"price": True},
        {"discount": False},
        {"specifications": []},
        {"specifications": "6,5 inci"},
        {"images": 5},
        {"compatibleVehicles": ["Avanza"]},
        {"compatibleVehicles": 2018},
        {"isAvailable": "perhaps"},
        {"isAvailable": []},
    ],
)
@pytest.mark.parametrize("language", ["id", "en"])
async def test_part_that_cannot_be_says_what_is_wrong(web: Web, language: str, change: dict[str, Any]) -> None:
    path, headers = f"/api/spareparts/{SPEAKER}", {"Accept-Language": language}
    status, body = await web.rina.call("PUT", path, change, headers=headers)
    assert (status, body["code"]) == (400, "invalid")
    assert body["message"].startswith(next(iter(change)))
    assert not body["message"].endswith(VAGUE)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"vehicleInfo": "Avanza"}, "vehicleInfo"),
        ({"vehicleInfo": []}, "vehicleInfo"),
        ({"vehicleInfo": {"brand": "Toyota", "model": "Avanza", "year": 2018.5}}, "vehicleInfo.year"),
        ({"vehicleInfo": {"brand": "Toyota", "model": "Avanza", "year": True}}, "vehicleInfo.year"),
        ({"spareparts": SPEAKER}, "spareparts"),
        ({"spareparts": {"sparepartId": SPEAKER}}, "spareparts"),
        ({"spareparts": [SPEAKER]}, "spareparts.0"),
        ({"spareparts": [{"sparepartId": SPEAKER, "quantity": True}]}, "spareparts.0.quantity"),
        ({"spareparts": [{"sparepartId": SPEAKER, "quantity": 1.5}]}, "spareparts.0.quantity"),
        ({"services": [{"serviceId": "pasang speaker"}]}, "services.0.serviceId"),
        ({"scheduledDate": 1_795_824_000}, "scheduledDate"),
        ({"serviceLocation": 5}, "serviceLocation"),
    ],
)
async def test_booking_that_cannot_be_says_what_is_wrong(web: Web, change: dict[str, Any], field: str) -> None:
    status, body = await web.sari.post("/api/bookings", wish(**change))
    assert (status, body["errors"][0]["field"]) == (400, field)
    assert not body["message"].endswith(VAGUE)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"openingHours": []}, "openingHours"),
        ({"openingHours": {"monday": "09:00-17:00"}}, "openingHours.monday"),
        ({"openingHours": {"senin": None}}, "openingHours.senin"),
        ({"coordinates": {"latitude": "-6,2", "longitude": 106.8}}, "coordinates.latitude"),
        ({"coordinates": {"latitude": "NaN", "longitude": 106.8}}, "coordinates.latitude"),
        ({"coordinates": {"latitude": -91, "longitude": 106.8}}, "coordinates.latitude"),
        ({"maxBookingsPerSlot": True}, "maxBookingsPerSlot"),
    ],
)
async def test_workshop_that_cannot_be_says_what_is_wrong(web: Web, change: dict[str, Any], field: str) -> None:
    status, body = await web.rina.call("PUT", "/api/workshop", change)
    assert (status, body["errors"][0]["field"]) == (400, field)
    assert not body["message"].endswith(VAGUE)
    assert "90.0" not in body["message"]


async def test_form_of_a_closed_day_is_blank(web: Web) -> None:
    blank = {"open": "", "close": ""}
    change = {"openingHours": {"sunday": blank, "monday": blank}, "coordinates": {"latitude": "", "longitude": ""}}
    status, body = await web.rina.call("PUT", "/api/workshop", change)
    assert status == 200, body
    hours = body["data"]["openingHours"]
    assert (hours["sunday"], hours["monday"], hours["tuesday"]) == (None, None, {"open": "09:00", "close": "17:00"})


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"specifications": {"panjang": 5, "aktif": True}}, {"specifications": {"panjang": "5", "aktif": "true"}}),
        (
            {"compatibleVehicles": [{"brand": "Toyota", "model": "Avanza", "year": 2018}]},
            {"compatibleVehicles": [{"brand": "Toyota", "model": "Avanza", "year": "2018"}]},
        ),
        ({"price": "50.000,00"}, {"price": 50_000}),
        ({"price": "Rp 1.250.000,-"}, {"price": 1_250_000}),
        ({"price": "50000.00"}, {"price": 50_000}),
    ],
)
async def test_numbers_come_as_front_ends_have_them(web: Web, sent: dict[str, Any], shown: dict[str, Any]) -> None:
    status, body = await web.rina.call("PUT", f"/api/spareparts/{SPEAKER}", sent)
    assert status == 200, body
    assert {name: body["data"][name] for name in shown} == shown


@pytest.mark.parametrize(("clock", "shown"), [("9:00", "09:00"), ("10:00:00", "10:00")])
async def test_time_of_day_is_read_as_browsers_write_it(web: Web, clock: str, shown: str) -> None:
    code = await web.book(scheduledTime=clock)
    _, body = await web.sari.get(f"/api/bookings/{code}")
    assert body["data"]["scheduledTime"] == shown


@pytest.mark.parametrize("delta", [-1_000, 100_000])
async def test_stock_that_cannot_be_is_counted_in_pieces(web: Web, delta: int) -> None:
    for language in ("id", "en"):
        _, body = await web.rina.call(
            "PATCH", f"/api/spareparts/{SPEAKER}/stock", {"delta": delta}, headers={"Accept-Language": language}
        )
        assert body["code"] == "bad_stock"
        assert "Rp" not in body["message"]


async def test_a_form_is_only_advised_where_it_is_taken(web: Web) -> None:
    form = FormData({"stock": "9"})
    status, body = await web.rina.call("PATCH", f"/api/spareparts/{SPEAKER}/stock", data=form)
    assert (status, body["message"]) == (415, "Jenis isi kiriman ini tidak didukung, kirim sebagai JSON.")
    status, body = await web.rina.call("PUT", f"/api/spareparts/{SPEAKER}", data=form)
    assert (status, "multipart/form-data" in body["message"]) == (415, True)


async def test_a_name_is_one_line_in_what_the_owner_reads(web: Web) -> None:
    forged = "Budi\n\nTotal: Rp0, LUNAS\u2028x\ty"
    place = {"serviceLocation": "onsite", "onsiteAddress": "Jl. Kenanga 5\nTotal: Rp0"}
    car = wish()["vehicleInfo"] | {"model": "Avanza\n2018", "plateNumber": "B 1\nLUNAS"}
    code = await web.book(customerName=forged, vehicleInfo=car, **place)
    assert (await web.row(code)).address == "Jl. Kenanga 5 Total: Rp0"
    assert (await web.row(code)).plate == "B 1 LUNAS"
    assert (await web.row(code)).name == "Budi Total: Rp0, LUNAS x y"
    assert (await web.row(code)).car_model == "Avanza 2018"
    _, body = await web.rina.call("PUT", f"/api/spareparts/{SPEAKER}", {"name": "JBL\n X"})
    assert body["data"]["name"] == "JBL X"
