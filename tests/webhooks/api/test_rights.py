"""Rights in one table: every endpoint, every caller, and the status."""

from typing import Any

import pytest
from asking import Web, wish
from sqlalchemy import update
from workshop import ANDI, BUDI, INSTALL, SPEAKER

from core.db.tables import Part, Service, Technician
from webhooks.api import ENDPOINTS

PEOPLE = ("nobody", "tono", "sari", "budi", "andi", "rina")
"""Nobody, another customer, the customer who owns the booking, a technician who hasn't it, the one who has, the admin."""

MOVED = {"scheduledDate": "2026-11-26", "scheduledTime": "09:00"}
PART = {"name": "Kabel RCA", "category": "kabel", "brand": "Lokal", "price": 50_000}
SERVICE = {"name": "Cek aki", "category": "repair", "price": 20_000, "estimatedDuration": 15}

#                       endpoint            nobody tono sari budi andi rina   path, body
TABLE: dict[str, tuple[tuple[int, int, int, int, int, int], str, Any]] = {
    "list_spareparts":       ((200, 200, 200, 200, 200, 200), "/api/spareparts", None),
    "get_sparepart":         ((200, 200, 200, 200, 200, 200), f"/api/spareparts/{SPEAKER}", None),
    "get_stock":             ((200, 200, 200, 200, 200, 200), f"/api/spareparts/{SPEAKER}/stock", None),
    "check_compatibility":   ((200, 200, 200, 200, 200, 200), f"/api/spareparts/{SPEAKER}/compatibility?brand=Toyota&model=Avanza&year=2018", None),
    "create_sparepart":      ((401, 403, 403, 403, 403, 201), "/api/spareparts", PART),
    "update_sparepart":      ((401, 403, 403, 403, 403, 200), f"/api/spareparts/{SPEAKER}", {"price": 1}),
    "change_stock":          ((401, 403, 403, 403, 403, 200), f"/api/spareparts/{SPEAKER}/stock", {"stock": 5}),
    "retire_sparepart":      ((401, 403, 403, 403, 403, 200), f"/api/spareparts/{SPEAKER}", None),
    "list_services":         ((200, 200, 200, 200, 200, 200), "/api/services", None),
    "get_service":           ((200, 200, 200, 200, 200, 200), f"/api/services/{INSTALL}", None),
    "create_service":        ((401, 403, 403, 403, 403, 201), "/api/services", SERVICE),
    "update_service":        ((401, 403, 403, 403, 403, 200), f"/api/services/{INSTALL}", {"price": 1}),
    "retire_service":        ((401, 403, 403, 403, 403, 200), f"/api/services/{INSTALL}", None),
    "list_technicians":      ((200, 200, 200, 200, 200, 200), "/api/technicians", None),
    "get_technician":        ((200, 200, 200, 200, 200, 200), f"/api/technicians/{ANDI}", None),
    "create_technician":     ((401, 403, 403, 403, 403, 201), "/api/technicians", {"name": "Doni"}),
    "update_technician":     ((401, 403, 403, 403, 403, 200), f"/api/technicians/{ANDI}", {"name": "Andi S."}),
    "retire_technician":     ((401, 403, 403, 403, 403, 200), f"/api/technicians/{ANDI}?reassign=any", None),
    "get_workshop":          ((200, 200, 200, 200, 200, 200), "/api/workshop", None),
    "update_workshop":       ((401, 403, 403, 403, 403, 200), "/api/workshop", {"name": "Bengkel Baru"}),
    "list_timeslots":        ((200, 200, 200, 200, 200, 200), "/api/workshop/timeslots?date=2026-11-24", None),
    "list_free_technicians": ((200, 200, 200, 200, 200, 200), "/api/technicians/available?date=2026-11-24&time=10:00", None),
    "list_closures":         ((200, 200, 200, 200, 200, 200), "/api/workshop/closures", None),
    "close_days":            ((401, 403, 403, 403, 403, 201), "/api/workshop/closures", {"date": "2026-12-01", "reason": "Pindahan"}),
    "reopen_day":            ((401, 403, 403, 403, 403, 404), "/api/workshop/closures/2026-12-02", None),
    "list_leave":            ((401, 403, 403, 200, 200, 200), f"/api/technicians/{BUDI}/leave", None),
    "enter_leave":           ((401, 403, 403, 403, 403, 201), f"/api/technicians/{BUDI}/leave", {"startDate": "2026-12-01"}),
    "end_leave":             ((401, 403, 403, 403, 403, 200), f"/api/technicians/{BUDI}/leave", None),
    "list_impossible":       ((401, 403, 403, 403, 403, 200), "/api/bookings/impossible", None),
    "move_impossible":       ((401, 403, 403, 403, 403, 200), "/api/bookings/impossible/move", {}),
    "cancel_impossible":     ((401, 403, 403, 403, 403, 200), "/api/bookings/impossible/cancel", {"reason": "Pindahan"}),
    "keep_booking":          ((401, 403, 403, 403, 403, 200), "/api/bookings/{code}/keep", None),
    "create_booking":        ((401, 201, 201, 201, 201, 201), "/api/bookings", wish(scheduledDate="2026-11-27")),
    "list_my_bookings":      ((401, 200, 200, 200, 200, 200), "/api/bookings/my-bookings", None),
    "list_bookings":         ((401, 403, 403, 200, 200, 200), "/api/bookings", None),
    "get_booking":           ((401, 404, 200, 404, 200, 200), "/api/bookings/{code}", None),
    "pay_booking":           ((401, 404, 200, 404, 403, 403), "/api/bookings/{code}/payment", {"paymentType": "full"}),
    "cancel_booking":        ((401, 404, 200, 404, 403, 200), "/api/bookings/{code}/cancel", {"reason": "Batal"}),
    "reschedule_booking":    ((401, 404, 200, 404, 403, 200), "/api/bookings/{code}/reschedule", MOVED),
    "get_dashboard":         ((401, 403, 403, 403, 403, 200), "/api/bookings/statistics/dashboard", None),
    "assign_technician":     ((401, 403, 403, 403, 403, 200), "/api/bookings/{code}/assign-technician", {"technicianId": BUDI}),
    "move_status":           ((401, 403, 403, 404, 200, 200), "/api/bookings/{code}/status", {"status": "in_progress"}),
    "add_work_note":         ((401, 403, 403, 404, 201, 201), "/api/bookings/{code}/work-notes", {"note": "Mulai"}),
    "add_cost":              ((401, 403, 403, 404, 201, 201), "/api/bookings/{code}/additional-cost", {"description": "Kabel", "amount": 1000}),
    "get_user":              ((401, 200, 200, 200, 200, 200), "/api/user", None),
}  # fmt: skip


def test_rights_table_names_every_endpoint() -> None:
    assert set(TABLE) == {each.name for each in ENDPOINTS}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # rights don't depend on it
@pytest.mark.parametrize("name", TABLE)
async def test_everybody_gets_what_the_rights_table_says(web: Web, name: str) -> None:
    expected, path, body = TABLE[name]
    method = next(each.method for each in ENDPOINTS if each.name == name)
    found = []
    code = await assigned(web)
    for person in PEOPLE:
        status, answer = await getattr(web, person).call(method, path.format(code=code), body)
        assert answer["success"] is (status < 400)
        found.append(status)
        if status < 400 and method != "GET" and person != PEOPLE[-1]:
            code = await restored(web)
    assert tuple(found) == expected


async def assigned(web: Web) -> str:
    """A booking of Sari's, assigned to Andi."""
    code = await web.book(technicianId=ANDI)
    status, body = await web.rina.post(f"/api/bookings/{code}/assign-technician", {"technicianId": ANDI})
    assert status == 200, body
    return code


async def restored(web: Web) -> str:
    """The shop as it was before the previous call changed it."""
    async with web.database.write() as session:
        for table in (Part, Service, Technician):
            await session.execute(update(table).values(retired_at=None))
    _, body = await web.rina.get("/api/bookings")
    for booking in body["data"]:
        await web.rina.post(f"/api/bookings/{booking['_id']}/cancel", {"reason": "Selesai diuji"})
    return await assigned(web)
