"""A booking's whole life over REST."""

from asking import Web, wish
from workshop import ANDI, BUDI, INSTALL, SPEAKER

from core.db.tables import Part


async def test_booking_from_catalogue_to_warranty(web: Web) -> None:
    code = await web.book(
        spareparts=[{"sparepart": SPEAKER, "quantity": 2, "price": 1}], bookingType="sparepart_and_service"
    )
    await web.pay(code, percent=30)

    status, body = await web.rina.post(f"/api/bookings/{code}/assign-technician", {"technicianId": ANDI})
    assert (status, body["data"]["bookingStatus"], body["data"]["technician"]["name"]) == (200, "confirmed", "Andi")
    assert body["data"]["paymentStatus"] == "dp_paid"

    status, body = await web.andi.call("PATCH", f"/api/bookings/{code}/status", {"status": "in_progress"})
    assert (status, body["data"]["bookingStatus"]) == (200, "in_progress")
    photo = "https://photos.example/door.jpg"
    status, body = await web.andi.post(f"/api/bookings/{code}/work-notes", {"note": "Pintu kiri", "photos": [photo]})
    assert status == 201
    assert [(note["note"], note["photos"], note["author"]) for note in body["data"]["workNotes"]] == [
        ("Pintu kiri", [photo], "Andi")
    ]
    before = body["data"]
    status, body = await web.andi.post(
        f"/api/bookings/{code}/additional-cost", {"description": "Kabel", "amount": 75_000}
    )
    assert status == 201
    assert [(cost["description"], cost["amount"]) for cost in body["data"]["additionalCosts"]] == [("Kabel", 75_000)]
    assert body["data"]["totalPrice"] == before["totalPrice"] + 75_000
    assert body["data"]["remainingPayment"] == before["remainingPayment"] + 75_000

    status, body = await web.andi.call("PATCH", f"/api/bookings/{code}/status", {"status": "completed"})
    assert (status, body["code"]) == (409, "still_unpaid")
    await web.pay(code)
    status, body = await web.andi.call("PATCH", f"/api/bookings/{code}/status", {"status": "completed"})
    assert (status, body["data"]["bookingStatus"], body["data"]["paymentStatus"]) == (200, "completed", "paid")

    status, body = await web.sari.get("/api/bookings/my-bookings")
    mine = body["data"][0]
    assert (status, body["total"], mine["_id"]) == (200, 1, code)
    assert mine["spareparts"][0]["sparepart"]["brand"] == "JBL"
    assert mine["spareparts"][0]["warrantyEndDate"] == mine["warrantyEndDate"] == "2027-11-23"
    assert mine["completedAt"] == "2026-11-23T08:00:00+07:00"
    assert mine["technician"]["totalJobs"] == 1
    assert mine["invoiceUrl"].startswith("/files/invoice/")
    async with web.database.read() as session:
        part = await session.get_one(Part, SPEAKER)
    assert (part.on_hand, part.reserved) == (0, 0)

    status, body = await web.rina.get("/api/bookings/statistics/dashboard")
    assert (status, body["data"]) == (200, {
        "totalBookings": 1, "pendingBookings": 0, "confirmedBookings": 0, "inProgressBookings": 0,
        "completedBookings": 1, "cancelledBookings": 0, "totalRevenue": mine["totalPrice"],
    })  # fmt: skip


async def test_booking_has_its_fields_and_shop_prices(web: Web) -> None:
    wanted = wish(
        spareparts=[{"sparepartId": SPEAKER, "quantity": 1}],
        technicianId=ANDI,
        serviceLocation="onsite",
        onsiteAddress="Jl. Kenanga 5",
        unknown={"is": "ignored"},
    )
    status, body = await web.sari.post("/api/bookings", wanted)
    made = body["data"]
    assert status == 201
    assert {name: made[name] for name in ("user", "customerName", "customerPhone", "customerEmail", "vehicleInfo")} == {
        "user": "user_sari",
        "customerName": "Sari Dewi",
        "customerPhone": "+6281234567890",
        "customerEmail": "sari@example.com",
        "vehicleInfo": {"brand": "Toyota", "model": "Avanza", "year": "2018", "plateNumber": "B 1234 XYZ"},
    }
    assert (made["bookingType"], made["bookingStatus"], made["paymentStatus"]) == (
        "sparepart_and_service",
        "pending",
        "pending",
    )
    assert (made["scheduledDate"], made["scheduledTime"]) == ("2026-11-24", "10:00")
    assert (made["serviceLocation"], made["onsiteAddress"], made["technicianId"]) == ("onsite", "Jl. Kenanga 5", ANDI)
    assert (made["subtotalSpareparts"], made["subtotalServices"], made["onsiteFee"]) == (765_000, 150_000, 150_000)
    assert (made["totalPrice"], made["remainingPayment"], made["taxAmount"], made["dpAmount"]) == (
        1_065_000,
        1_065_000,
        0,
        0,
    )
    assert made["services"][0]["serviceId"] == made["services"][0]["service"]["_id"] == INSTALL
    assert made["createdAt"] == "2026-11-23T08:00:00+07:00"
    for name in ("paidAt", "completedAt", "warrantyEndDate", "invoiceUrl", "cancelledAt", "cancellationReason"):
        assert made[name] is None
    assert (made["additionalCosts"], made["workNotes"]) == ([], [])


async def test_customer_moves_and_cancels_a_booking(web: Web) -> None:
    code = await web.book(technicianId=ANDI)
    later = {"scheduledDate": "2026-11-25", "scheduledTime": "13:00", "technicianId": BUDI}
    status, body = await web.sari.post(f"/api/bookings/{code}/reschedule", later)
    assert (status, body["data"]["scheduledDate"], body["data"]["technicianId"]) == (200, "2026-11-25", BUDI)
    status, body = await web.sari.post(f"/api/bookings/{code}/cancel", {"reason": "Mobilnya dijual"})
    assert (status, body["data"]["bookingStatus"]) == (200, "cancelled")
    assert body["data"]["cancellationReason"] == "Mobilnya dijual"
    status, body = await web.sari.post(f"/api/bookings/{code}/cancel", {"reason": "Lagi"})
    assert (status, body["code"]) == (409, "invalid_transition")
