"""Closures, leave, and the bookings that they make impossible, over REST."""

from typing import Any

import pytest
from asking import Web
from sqlalchemy import event
from workshop import ANDI, BUDI, INSTALL

from core.booking import review
from core.context import Context

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # the core's own tests know both

TUESDAY, WEDNESDAY = "2026-11-24", "2026-11-25"


async def impossible(web: Web) -> dict[str, str]:
    status, body = await web.rina.get("/api/bookings/impossible")
    assert (status, body["total"]) == (200, len(body["data"]))
    return {each["_id"]: each["reason"] for each in body["data"]}


async def free_at(web: Web, day: str, time: str) -> list[str]:
    _, body = await web.nobody.get(f"/api/technicians/available?date={day}&time={time}")
    return [each["_id"] for each in body["data"]]


async def close(web: Web, **more: Any) -> Any:
    status, body = await web.rina.post("/api/workshop/closures", {"date": TUESDAY, "reason": "Pindahan"} | more)
    assert status == 201, body
    return body["data"]


async def test_a_day_is_closed_and_opened_again(web: Web) -> None:
    code = await web.book(scheduledDate=TUESDAY)
    assert len(await free_at(web, TUESDAY, "14:00")) == 3
    closed = await close(web, endDate=WEDNESDAY)
    assert [each["date"] for each in closed["days"]] == [TUESDAY, WEDNESDAY]
    assert [(each["_id"], each["reason"]) for each in closed["affected"]] == [(code, "closed")]
    assert await free_at(web, TUESDAY, "14:00") == []
    status, body = await web.sari.post(f"/api/bookings/{code}/payment", {"paymentType": "full"})
    assert (status, body["code"]) == (409, "closed")
    assert "Pindahan" in body["message"]
    _, slots = await web.nobody.get(f"/api/workshop/timeslots?date={TUESDAY}")
    assert (slots["data"], slots["message"]) == ([], "Pindahan")
    assert (await web.nobody.get("/api/workshop/closures"))[1]["total"] == 2
    status, body = await web.rina.call("DELETE", f"/api/workshop/closures/{TUESDAY}")
    assert (status, body["data"]) == (200, {"date": TUESDAY, "reason": "Pindahan"})
    assert await impossible(web) == {}
    assert (await web.rina.call("DELETE", f"/api/workshop/closures/{TUESDAY}"))[0] == 404
    assert (await web.rina.call("DELETE", "/api/workshop/closures/besok"))[0] == 404


@pytest.mark.parametrize(
    "days",
    [
        {"date": "2026-11-21"},
        {"date": WEDNESDAY, "endDate": TUESDAY},
        {"date": TUESDAY, "endDate": "2027-12-24"},
    ],
)
async def test_days_that_cannot_be_closed(web: Web, days: dict[str, str]) -> None:
    status, body = await web.rina.post("/api/workshop/closures", {"reason": "Renovasi"} | days)
    assert (status, body["code"]) == (400, "bad_closure")
    assert "cuti" not in body["message"]


async def test_a_year_is_closed_at_once(web: Web) -> None:
    codes = [await web.book(scheduledDate=f"2026-11-{day}") for day in (24, 25, 27)]
    statements: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engine = web.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", listen)
    closed = await close(web, endDate="2027-11-23")
    event.remove(engine, "before_cursor_execute", listen)
    assert len(closed["days"]) == 365
    assert [each["_id"] for each in closed["affected"]] == codes
    assert len(statements) < 100  # not a review for each day


async def test_leave_is_entered_and_ended(web: Web) -> None:
    leave = f"/api/technicians/{ANDI}/leave"
    code = await web.book(scheduledDate=TUESDAY, scheduledTime="10:00", technicianId=ANDI)
    status, body = await web.rina.post(leave, {"startDate": TUESDAY, "startTime": "13:00", "endTime": "17:00"})
    assert (status, body["data"]["affected"]) == (201, [])
    assert body["data"]["leave"] == [{"date": TUESDAY, "startTime": "13:00", "endTime": "17:00"}]
    assert ANDI in await free_at(web, TUESDAY, "11:00")
    assert ANDI not in await free_at(web, TUESDAY, "14:00")
    status, body = await web.rina.post(leave, {"startDate": TUESDAY, "endDate": WEDNESDAY})
    assert [each["_id"] for each in body["data"]["affected"]] == [code]
    assert "Andi" in body["data"]["affected"][0]["message"]
    status, body = await web.rina.call("DELETE", f"{leave}?startDate={TUESDAY}&endDate={TUESDAY}")
    assert (status, [each["date"] for each in body["data"]]) == (200, [WEDNESDAY])
    assert await impossible(web) == {}
    assert (await web.andi.get(leave))[1]["total"] == 1
    assert (await web.rina.post(leave, {"startDate": WEDNESDAY, "endDate": TUESDAY}))[1]["code"] == "bad_leave"
    assert (await web.rina.post("/api/technicians/none/leave", {"startDate": TUESDAY}))[0] == 404
    assert (await web.andi.post(leave, {"startDate": TUESDAY}))[0] == 403


async def test_two_parts_of_a_day_leave_the_time_between(web: Web) -> None:
    leave = f"/api/technicians/{ANDI}/leave"

    async def enter(start: str | None, end: str | None) -> list[tuple[str | None, str | None]]:
        status, body = await web.rina.post(leave, {"startDate": TUESDAY, "startTime": start, "endTime": end})
        assert status == 201
        return [(each["startTime"], each["endTime"]) for each in body["data"]["leave"]]

    assert await enter("09:00", "10:00") == [("09:00", "10:00")]
    assert await enter("15:00", "17:00") == [("09:00", "10:00"), ("15:00", "17:00")]
    free = [time for time in ("09:00", "10:00", "12:00", "14:00", "15:00") if ANDI in await free_at(web, TUESDAY, time)]
    assert free == ["10:00", "12:00", "14:00"]
    assert await enter("14:00", "15:00") == [("09:00", "10:00"), ("14:00", "17:00")]
    assert await enter("09:30", "14:30") == [("09:00", "17:00")]
    assert await enter(None, "08:00") == [(None, "08:00"), ("09:00", "17:00")]
    assert await enter(None, None) == [(None, None)]
    _, body = await web.rina.call("DELETE", f"{leave}?startDate={TUESDAY}")
    assert body["data"] == []


async def test_impossible_bookings_are_moved_cancelled_or_kept(web: Web) -> None:
    codes = [await web.book(scheduledDate=TUESDAY, scheduledTime=f"1{hour}:00") for hour in range(3)]
    await close(web)
    assert await impossible(web) == dict.fromkeys(codes, "closed")
    status, body = await web.rina.post("/api/bookings/impossible/cancel", {"bookings": codes[:1], "reason": "Pindahan"})
    assert (status, body["data"]["settled"], len(body["data"]["left"])) == (200, codes[:1], 2)
    assert (await web.rina.post(f"/api/bookings/{codes[1]}/keep"))[0] == 200
    assert await impossible(web) == {codes[2]: "closed"}
    status, body = await web.rina.post("/api/bookings/impossible/move", {})
    assert (status, body["data"]) == (200, {"settled": codes[2:], "left": []})
    _, moved = await web.rina.get(f"/api/bookings/{codes[2]}")
    assert moved["data"]["scheduledDate"] in ("2026-11-23", WEDNESDAY)
    assert (await web.sari.get("/api/bookings/impossible"))[0] == 403


async def test_a_booking_is_kept_in_spite_of_everything(web: Web) -> None:
    code = await web.book(scheduledDate=TUESDAY, technicianId=ANDI)
    await close(web)
    await web.rina.post(f"/api/technicians/{ANDI}/leave", {"startDate": TUESDAY})
    await web.rina.call("DELETE", f"/api/services/{INSTALL}")
    assert (await web.rina.post(f"/api/bookings/{code}/keep"))[0] == 200
    assert await impossible(web) == {}
    async with web.database.write() as session:
        assert await review(Context(session, web.shop, web.now)) == []
    assert (await web.rina.post(f"/api/bookings/{code}/keep"))[0] == 200


async def test_an_answer_says_what_was_settled(web: Web) -> None:
    status, body = await web.rina.post("/api/bookings/impossible/cancel", {})
    assert (status, body["message"]) == (200, "Tidak ada booking yang berubah.")
    code = await web.book(scheduledDate=TUESDAY)
    await web.sari.post(f"/api/bookings/{code}/cancel", {"reason": "Batal"})
    status, body = await web.rina.post(f"/api/bookings/{code}/keep")
    assert (status, body["code"]) == (409, "invalid_transition")


async def test_a_technician_with_jobs_is_not_deleted(web: Web) -> None:
    code = await web.book(scheduledDate=TUESDAY, scheduledTime="10:00", technicianId=ANDI)
    status, body = await web.rina.call("DELETE", f"/api/technicians/{ANDI}")
    assert (status, body["code"]) == (409, "technician_has_jobs")
    assert code in body["message"]
    await web.book(scheduledDate=TUESDAY, scheduledTime="10:00", technicianId=BUDI)
    status, body = await web.rina.call("DELETE", f"/api/technicians/{ANDI}?reassign={BUDI}")
    assert (status, body["code"]) == (409, "technician_busy")
    assert (await web.rina.call("DELETE", f"/api/technicians/{ANDI}?reassign={ANDI}"))[0] == 409
    assert (await web.rina.call("DELETE", f"/api/technicians/{ANDI}?reassign=none"))[0] == 404
    assert (await web.row(code)).technician_id == ANDI
    assert (await web.rina.call("DELETE", f"/api/technicians/{ANDI}?reassign=any"))[0] == 200
    row = await web.row(code)
    assert (row.technician_id, row.status) == (None, "pending")
    assert await impossible(web) == {}


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        (f"/api/technicians/{ANDI}", {"isAvailable": False}, "technician_away"),
        (f"/api/services/{INSTALL}", None, "not_for_sale"),
    ],
)
async def test_a_changed_catalogue_names_bookings(web: Web, path: str, body: Any, reason: str) -> None:
    code = await web.book(scheduledDate=TUESDAY, technicianId=ANDI)
    status, _ = await web.rina.call("PUT" if body else "DELETE", path, body)
    assert status == 200
    assert await impossible(web) == {code: reason}


async def test_a_slot_says_why_it_is_not_available(web: Web) -> None:
    _, today = await web.nobody.get("/api/workshop/timeslots?date=2026-11-23&duration=120")
    assert [each["reason"] for each in today["data"]] == [None] * 7 + ["outside_hours"]
    web.now = web.now.replace(hour=2, minute=55)  # 09:55 in the shop
    _, today = await web.nobody.get("/api/workshop/timeslots?date=2026-11-23")
    assert [each["reason"] for each in today["data"]][:3] == ["in_the_past", "short_notice", None]
    _, over = await web.nobody.get("/api/workshop/timeslots?date=2026-11-21")
    assert over["message"] == "Waktunya sudah lewat, Kak."
