"""A backup is restored as docs/operations.md says."""

import shutil
from pathlib import Path

import pytest
from booking_by_phone import book, link_in, sees, taps
from town import Town

from core.db import backup
from core.states import PaymentStatus


@pytest.mark.parametrize("closed_town", ["sqlite"], indirect=True)
async def test_after_a_restore_used_order_ids_are_skipped(closed_town: Town, tmp_path: Path) -> None:
    """The second link was made after the backup: Midtrans knows its order_id, the restored database doesn't."""
    town, customer = closed_town, closed_town.telegram
    live, kept = Path(town.settings.database.url.removeprefix("sqlite+aiosqlite:///")), tmp_path / "kept.db"
    async with town.open():
        await book(customer)
        town.clock.move(minutes=61)
        await sees(customer, "sudah habis")
        backup.back_up(live, kept)
        await taps(customer, "Kirim link baru", "Silakan bayar")
    for beside in ("-wal", "-shm"):
        live.with_name(live.name + beside).unlink(missing_ok=True)
    shutil.copy(kept, live)
    town.clock.move(minutes=5)  # leases from the time of the backup expire
    async with town.open():
        link = await taps(customer, "Kirim link baru", "Silakan bayar")
        await town.there.midtrans.pay(link_in(link), "other_qris")
        await sees(customer, "terkonfirmasi")
    (booking,) = await town.bookings()
    assert booking.payment_status == PaymentStatus.PAID
