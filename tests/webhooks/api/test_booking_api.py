"""Booking and paying over REST: refusals, repetition, and the number of queries of a list."""

import asyncio
import io
from datetime import date, timedelta
from typing import Any

import pytest
from asking import Web, wish
from paying import answer
from sqlalchemy import delete, event, func, select, update
from workshop import AMPLIFIER, ANDI, CHECK, CITRA, INSTALL, SPEAKER, TUNE, check_books

from bot.payments.midtrans_client import MidtransTrouble
from core import payment
from core.context import Context
from core.db.tables import IDEMPOTENCY_KEPT, Booking, Closure, IdempotencyKey, Part, PaymentRequest, Service

on_one_engine = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
CAR = {"brand": "Toyota", "model": "Avanza", "year": 2018}

REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "nothing chosen": ({"services": []}, 400, "nothing_chosen"),
    "a type that its lines are not": ({"bookingType": "sparepart_only"}, 400, "type_mismatch"),
    "cash for parts": ({"spareparts": [{"sparepartId": SPEAKER, "quantity": 1}], "paymentMethod": "cod"}, 400, "cash_for_services_only"),
    "on-site without an address": ({"serviceLocation": "onsite"}, 400, "address_missing"),
    "a service that stays in the workshop": ({"services": [{"serviceId": TUNE}], "serviceLocation": "onsite", "onsiteAddress": "Jl. A 1"}, 409, "not_onsite"),
    "no piece": ({"spareparts": [{"sparepartId": SPEAKER, "quantity": 0}]}, 400, "bad_quantity"),
    "less than none": ({"spareparts": [{"sparepartId": SPEAKER, "quantity": -1}]}, 400, "bad_quantity"),
    "a million": ({"spareparts": [{"sparepartId": SPEAKER, "quantity": 1_000_000}]}, 400, "bad_quantity"),
    "more than there are": ({"spareparts": [{"sparepartId": SPEAKER, "quantity": 3}]}, 409, "insufficient_stock"),
    "a part that nobody knows": ({"spareparts": [{"sparepartId": "none", "quantity": 1}]}, 404, "not_found"),
    "a technician that nobody knows": ({"technicianId": "none"}, 404, "not_found"),
    "a technician on his day off": ({"technicianId": CITRA, "scheduledDate": "2026-11-27"}, 409, "technician_away"),
    "a Sunday": ({"scheduledDate": "2026-11-29"}, 409, "closed"),
    "before opening": ({"scheduledTime": "07:00"}, 409, "outside_hours"),
    "between two slots": ({"scheduledTime": "10:07"}, 409, "not_a_slot"),
    "yesterday": ({"scheduledDate": "2026-11-22", "scheduledTime": "10:00"}, 409, "in_the_past"),
    "last Saturday": ({"scheduledDate": "2026-11-21"}, 409, "in_the_past"),
    "next year": ({"scheduledDate": "2027-11-24"}, 409, "too_far_ahead"),
}  # fmt: skip


@on_one_engine
@pytest.mark.parametrize("why", REFUSED)
async def test_booking_is_refused_for(web: Web, why: str) -> None:
    changes, status, code = REFUSED[why]
    found, body = await web.sari.post("/api/bookings", wish(**changes))
    assert (found, body["code"], body["success"]) == (status, code, False)
    assert body["message"]
    assert set(body) == {"success", "message", "code"}
    async with web.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Booking)) == 0


@on_one_engine
@pytest.mark.parametrize(
    ("quantities", "times"),
    [((2, None), 3), ((None, 2), 3), ((2, 1), 3), ((None, None), 2), ((1,), 1)],
)
async def test_a_services_lines_add_up(web: Web, quantities: tuple[int | None, ...], times: int) -> None:
    lines = [{"serviceId": INSTALL} | ({"quantity": each} if each else {}) for each in quantities]
    _, body = await web.sari.post("/api/bookings", wish(services=lines))
    assert [line["quantity"] for line in body["data"]["services"]] == [times]
    assert (body["data"]["duration"], body["data"]["totalPrice"]) == (times * 60, times * 150_000)


@pytest.mark.parametrize(
    ("more", "quantity", "minutes"),
    [
        pytest.param({}, 2, 120, id="once for each part"),
        pytest.param({"quantity": 1}, 1, 60, id="the customer says otherwise"),
    ],
)
async def test_quantity_multiplies_its_installation(
    web: Web, more: dict[str, int], quantity: int, minutes: int
) -> None:
    async with web.database.write() as session:
        await session.execute(update(Service).where(Service.id == INSTALL).values(installs=["speaker"]))
    lines = {"spareparts": [{"sparepartId": SPEAKER, "quantity": 2}], "services": [{"serviceId": INSTALL} | more]}
    status, body = await web.sari.post("/api/bookings", wish(**lines))
    assert status == 201
    booked = body["data"]
    [service] = booked["services"]
    assert (service["quantity"], service["subtotal"]) == (quantity, quantity * 150_000)
    assert booked["subtotalServices"] == quantity * 150_000
    async with web.database.read() as session:
        assert await session.scalar(select(Booking.minutes)) == minutes


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "30 February": ({"scheduledDate": "2026-02-30"}, "scheduledDate"),
    "29 February of a wrong year": ({"scheduledDate": "2027-02-29"}, "scheduledDate"),
    "a moment that isn't one": ({"scheduledDate": "2026-11-24T25:00:00Z"}, "scheduledDate"),
    "a date that is a number": ({"scheduledDate": 20261124}, "scheduledDate"),
    "25 o'clock": ({"scheduledTime": "25:00"}, "scheduledTime"),
    "a time without minutes": ({"scheduledTime": "10"}, "scheduledTime"),
    "no name": ({"customerName": "   "}, "customerName"),
    "a name of control characters": ({"customerName": "\x00\x01"}, "customerName"),
    "half a character": ({"customerName": "\ud800"}, "body"),  # not valid JSON
    "a name of 10,000 letters": ({"customerName": "x" * 10_000}, "customerName"),
    "a landline": ({"customerPhone": "021 7654321"}, "customerPhone"),
    "a phone that is none": ({"customerPhone": "hello"}, "customerPhone"),
    "a phone that is a number": ({"customerPhone": 81234567890}, "customerPhone"),
    "a mail address that is none": ({"customerEmail": "sari@"}, "customerEmail"),
    "no car": ({"vehicleInfo": None}, "vehicleInfo"),
    "a car of the year 7e9": ({"vehicleInfo": CAR | {"year": 7_000_000_000}}, "vehicleInfo.year"),
    "a car of a year in words": ({"vehicleInfo": CAR | {"year": "new"}}, "vehicleInfo.year"),
    "a quantity beyond all numbers": ({"spareparts": [{"sparepartId": SPEAKER, "quantity": 10**30}]}, "spareparts.0.quantity"),
    "half a piece": ({"spareparts": [{"sparepartId": SPEAKER, "quantity": 1.5}]}, "spareparts.0.quantity"),
    "a line without its part": ({"spareparts": [{"quantity": 1}]}, "spareparts.0.sparepartId"),
    "an id that can't be one": ({"services": [{"service": "../etc"}]}, "services.0.service"),
    "an unknown method": ({"paymentMethod": "gold"}, "paymentMethod"),
    "a list where an object belongs": ({"vehicleInfo": []}, "vehicleInfo"),
    "51 services": ({"services": [{"serviceId": INSTALL}] * 51}, "services"),
}  # fmt: skip


@on_one_engine
@pytest.mark.parametrize("why", WRONG)
async def test_a_wrong_field_is_named(web: Web, why: str) -> None:
    changes, field = WRONG[why]
    status, body = await web.sari.post("/api/bookings", wish(**changes))
    assert (status, body["code"], [error["field"] for error in body["errors"]]) == (400, "invalid", [field])
    assert all(error["message"] for error in body["errors"])


@on_one_engine
@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (b"{", "application/json", 400),  # half of it
        (b"\xff\xfe", "application/json", 400),  # no UTF-8
        (b"[" * 100_000, "application/json", 400),  # nested too deeply
        (b'{"a": NaN}', "application/json", 400),  # no JSON
        (b'{"a": 1' + b"0" * 10_000 + b"}", "application/json", 400),  # a huge number
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b"", "application/json", 400),
        (b" " * 2 * 1024 * 1024, "application/json", 413),
        (b"{}", "text/plain", 415),
        (b"{}", "application/json; charset=klingon", 415),
        (b"a=b", "application/x-www-form-urlencoded", 415),
    ],
)
async def test_unreadable_body_is_a_client_error(web: Web, raw: bytes, content_type: str, status: int) -> None:
    found, body = await web.sari.call(
        "POST", "/api/bookings", data=io.BytesIO(raw), headers={"Content-Type": content_type}
    )
    assert (found, body["success"]) == (status, False)


@on_one_engine
@pytest.mark.parametrize(
    "path",
    [
        "/api/bookings/7000000000",
        "/api/bookings/%00",
        "/api/bookings/%FF%FE",
        "/api/bookings/..%2F..%2Fetc",
        "/api/bookings/" + "x" * 5000,
        "/api/spareparts/%27%20OR%201%3D1",
        "/api/services/%F0%9F%98%80",
    ],
)
async def test_unknown_id_is_not_found(web: Web, path: str) -> None:
    status, body = await web.rina.get(path)
    assert (status, body["code"]) == (404, "not_found")


@on_one_engine
@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=201", "limit=-1", "limit=x", "limit=1e3", "offset=-1", "offset=99999999999999999999",
        "category=unknown", "inStock=maybe", "search=" + "x" * 101,
    ],
)  # fmt: skip
async def test_invalid_filter_is_named(web: Web, query: str) -> None:
    status, body = await web.nobody.get(f"/api/spareparts?{query}")
    assert (status, body["errors"][0]["field"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"Speaker 6,5 inci", "Amplifier 4 channel", "Ring adaptor Avanza"}),
        ("category=&search=&brand=", {"Speaker 6,5 inci", "Amplifier 4 channel", "Ring adaptor Avanza"}),
        ("category=speaker", {"Speaker 6,5 inci"}),
        ("brand=pioneer", {"Amplifier 4 channel"}),
        ("search=avanza+RING", {"Ring adaptor Avanza"}),
        ("search=jbl", {"Speaker 6,5 inci"}),
        ("search=%25", set()),  # no wildcard
        ("search=%00", set()),  # blank
        ("inStock=true", {"Amplifier 4 channel", "Ring adaptor Avanza"}),
        ("limit=1&offset=1", {"Ring adaptor Avanza"}),
        ("offset=50", set()),
    ],
)
async def test_parts_are_found_by(web: Web, query: str, names: set[str]) -> None:
    async with web.database.write() as session:
        await session.execute(update(Part).where(Part.id == SPEAKER).values(reserved=2))
    status, body = await web.nobody.get(f"/api/spareparts?{query}")
    if query == "search=%00":
        assert status == 400
        return
    assert (status, {part["name"] for part in body["data"]}) == (200, names)
    assert body["total"] == (3 if "offset" in query else len(names))


async def test_repeated_key_returns_the_first_answer(web: Web) -> None:
    key = {"Idempotency-Key": "7f3k-2q"}
    first = await web.sari.post("/api/bookings", wish(), headers=key)
    again = await web.sari.post("/api/bookings", wish(), headers=key)
    assert first == again
    assert first[0] == 201
    other = await web.tono.post("/api/bookings", wish(), headers=key)
    assert other[1]["data"]["_id"] != first[1]["data"]["_id"]  # keys are per user
    status, body = await web.sari.post("/api/bookings", wish(scheduledTime="11:00"), headers=key)
    assert (status, body["code"]) == (409, "idempotency_key_reused")
    web.now += IDEMPOTENCY_KEPT + timedelta(minutes=1)
    status, body = await web.sari.post("/api/bookings", wish(scheduledDate="2026-11-26"), headers=key)
    assert (status, body["success"]) == (201, True)


async def test_two_posts_with_one_key_book_once(web: Web) -> None:
    key = {"Idempotency-Key": "at-once"}
    answers = await asyncio.gather(*(web.sari.post("/api/bookings", wish(), headers=key) for _ in range(6)))
    assert {status for status, _ in answers} == {201}
    assert len({body["data"]["_id"] for _, body in answers}) == 1
    async with web.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Booking)) == 1


async def test_refusal_releases_its_key(web: Web) -> None:
    key = {"Idempotency-Key": "try-again"}
    assert (await web.sari.post("/api/bookings", wish(services=[]), headers=key))[0] == 400
    assert (await web.sari.post("/api/bookings", wish(), headers=key))[0] == 201
    async with web.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(IdempotencyKey)) == 1


@on_one_engine
@pytest.mark.parametrize("key", ["", "with space", "x" * 201])
async def test_malformed_key_is_refused(web: Web, key: str) -> None:
    status, body = await web.sari.post("/api/bookings", wish(), headers={"Idempotency-Key": key})
    assert (status, body["code"]) == (400, "bad_idempotency_key")


async def test_last_slot_is_booked_once(web: Web) -> None:
    rivals = [web.as_user(f"user_{number}") for number in range(8)]
    answers = await asyncio.gather(*(rival.post("/api/bookings", wish()) for rival in rivals))
    assert sorted(status for status, _ in answers) == [201] * 3 + [409] * 5
    assert {body["code"] for status, body in answers if status == 409} == {"slot_full"}
    assert "👇" not in next(body["message"] for status, body in answers if status == 409)
    await check_books(web.database)


# --- paying ------------------------------------------------------------------------------------


async def test_link_is_reused_until_the_amount_changes(web: Web) -> None:
    code = await web.book()
    _, first = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "dp", "dpPercent": 35})
    assert first["data"]["amount"] == 52_500
    assert first["data"]["orderId"].startswith("BOOKING-")
    assert first["data"]["snapRedirectUrl"] == f"https://pay.example/{first['data']['orderId']}"
    _, again = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "dp", "dpPercent": 35})
    assert again == first
    _, full = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "full"})
    assert (full["data"]["amount"], full["data"]["snapToken"] != first["data"]["snapToken"]) == (150_000, True)
    assert len(web.midtrans.made) == 2


async def test_full_payment_charges_only_the_remainder(web: Web) -> None:
    code = await web.book()
    await web.pay(code, percent=40)
    _, shown = await web.sari.get(f"/api/bookings/{code}")
    booking = shown["data"]
    assert (booking["bookingStatus"], booking["paymentStatus"]) == ("confirmed", "dp_paid")
    assert (booking["dpAmount"], booking["paidAmount"], booking["remainingPayment"]) == (60_000, 60_000, 90_000)
    assert booking["paidAt"] == "2026-11-23T08:00:00+07:00"
    await web.pay(code)
    for wanted in ({"paymentType": "full"}, {"paymentType": "dp", "dpPercent": 30}):
        status, body = await web.sari.post(f"/api/bookings/{code}/payment", wanted)
        assert (status, body["code"]) == (409, "already_paid")


async def test_paying_the_rest_of_late_money_keeps_its_slot(web: Web) -> None:
    """The shop was closed on that day when the down payment came, and is open again."""
    code = await web.book()
    _, asked = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "dp", "dpPercent": 40})
    web.now += web.shop.hold
    order_id = asked["data"]["orderId"]
    async with web.database.write() as session:
        await payment.settle_or_expire(Context(session, web.shop, web.now), order_id, None)
        session.add(Closure(day=date(2026, 11, 24), reason="Libur"))
    async with web.database.write() as session:
        told = answer(order_id, amount=60_000)
        await payment.settle(Context(session, web.shop, web.now), order_id, told)
        await session.execute(delete(Closure))
    assert payment.has_lost_slot(await web.row(code))
    status, rest = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "full"})
    assert (status, rest["data"]["amount"]) == (200, 90_000)
    row = await web.row(code)
    assert (row.status, row.holding, row.hold_until) == ("confirmed", True, None)


async def test_payment_request_survives_a_midtrans_outage(web: Web) -> None:
    code = await web.book()
    web.midtrans.wrong = [MidtransTrouble("HTML")]
    status, body = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "full"})
    assert (status, body["code"]) == (503, "payment_unavailable")
    async with web.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(PaymentRequest)) == 1
    status, body = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "full"})
    assert (status, body["data"]["amount"]) == (200, 150_000)
    assert len(web.midtrans.made) == 1


@on_one_engine
@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"paymentType": "dp", "dpPercent": 29}, 400, "invalid"),
        ({"paymentType": "dp", "dpPercent": 51}, 400, "invalid"),
        ({"paymentType": "half"}, 400, "invalid"),
        ({}, 400, "invalid"),
    ],
)
async def test_payment_must_be_full_or_a_share(web: Web, wanted: dict[str, Any], status: int, code: str) -> None:
    booking = await web.book()
    found, body = await web.sari.post(f"/api/bookings/{booking}/payment", wanted)
    assert (found, body["code"]) == (status, code)


@on_one_engine
async def test_cash_has_no_link(web: Web) -> None:
    code = await web.book(paymentMethod="cod")
    status, body = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "full"})
    assert (status, body["code"]) == (409, "method_cannot_pay")


@on_one_engine
@pytest.mark.parametrize("settings", [{"pay_link": None}])
async def test_payment_may_be_off(web: Web) -> None:
    code = await web.book()
    status, body = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "full"})
    assert (status, body["code"]) == (503, "payment_unavailable")


async def test_what_costs_nothing_is_confirmed_without_a_payment(web: Web) -> None:
    async with web.database.write() as session:
        await session.execute(update(Service).where(Service.id == CHECK).values(price=0))
    code = await web.book(services=[{"serviceId": CHECK}])
    for _ in range(2):
        status, body = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "full"})
        assert (status, body["data"]["isFree"], body["data"]["amount"]) == (200, True, 0)
    _, shown = await web.sari.get(f"/api/bookings/{code}")
    assert (shown["data"]["bookingStatus"], shown["data"]["remainingPayment"]) == ("confirmed", 0)


# --- lists -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/bookings/my-bookings", "/api/bookings"])
async def test_list_of_twenty_needs_no_more_queries(web: Web, path: str) -> None:
    caller = web.sari if path.endswith("my-bookings") else web.rina
    asked: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(web.database.reading_engine.sync_engine, "before_cursor_execute", count)
    counts = []
    for many in (1, 9):
        for number in range(many):
            day = f"2026-12-{1 + number + (many > 1):02}"
            if day not in ("2026-12-06",):
                await web.book(
                    spareparts=[{"sparepartId": AMPLIFIER, "quantity": 1}] if number % 3 == 0 else [],
                    services=[{"serviceId": INSTALL}, {"serviceId": CHECK}],
                    technicianId=ANDI,
                    scheduledDate=day,
                )
        asked.clear()
        status, body = await caller.get(path)
        assert (status, len(body["data"])) == (200, body["total"])
        counts.append(len([each for each in asked if each.startswith("SELECT")]))
    event.remove(web.database.reading_engine.sync_engine, "before_cursor_execute", count)
    assert counts[0] == counts[1]


async def test_bookings_are_filtered_and_limited_to_own(web: Web) -> None:
    first = await web.book(technicianId=ANDI)
    second = await web.book(scheduledDate="2026-11-25")
    await web.pay(second)
    for person, query, expected in (
        ("rina", "", {first, second}),
        ("rina", "?status=confirmed", {second}),
        ("rina", "?paymentStatus=pending", {first}),
        ("rina", "?date=2026-11-25", {second}),
        ("rina", "?date=2026-11-25&status=pending", set()),
        ("rina", "?limit=1", {second}),
        ("andi", "", {first}),
        ("budi", "", set()),
    ):
        _, body = await getattr(web, person).get(f"/api/bookings{query}")
        assert {booking["_id"] for booking in body["data"]} == expected
    _, mine = await web.sari.get("/api/bookings/my-bookings?limit=1&offset=1")
    assert ([booking["_id"] for booking in mine["data"]], mine["total"]) == ([first], 2)


async def test_technicians_contacts_are_for_staff(web: Web) -> None:
    await web.rina.call("PUT", "/api/technicians/andi", {"phone": "081234567890", "email": "andi@example.com"})
    seen = {}
    for person in ("nobody", "sari", "budi", "rina"):
        _, body = await getattr(web, person).get("/api/technicians?specialization=dsp")
        seen[person] = body["data"][0]["phone"]
    assert seen == {"nobody": None, "sari": None, "budi": "+6281234567890", "rina": "+6281234567890"}
