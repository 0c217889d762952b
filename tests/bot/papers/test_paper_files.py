"""Every paper of a booking can be attached and downloaded; nothing else can."""

from datetime import datetime
from pathlib import Path

import pytest
from paying import CODE, ORDER, answer, book, give_link

from bot.papers.files import Library
from bot.papers.photos import Photos
from core import payment
from core.booking import cancel
from core.context import Context
from core.db.database import Database
from core.messaging.messages import Document
from core.refusals import NotFound
from core.schedule import bookings
from core.shop import Shop


async def test_each_paper_is_a_pdf_named_by_its_number(
    database: Database, shop: Shop, now: datetime, tmp_path: Path
) -> None:
    await book(database, shop, now)
    await give_link(database, ORDER, shop, now)
    async with database.write() as session:
        await payment.settle(Context(session, shop, now), ORDER, answer())
    async with database.write() as session:
        booking = await bookings.load(session, code=CODE)
        await cancel(Context(session, shop, now), booking, reason="", actor="Ibu Rina")
    photos = Photos(tmp_path, lambda: "unused")
    library = Library(database, photos, b"secret", "https://shop.example", shop, lambda: now)
    numbers = {"invoice": "INV", "receipt": "KW", "credit_note": "NK"}
    for kind, prefix in numbers.items():
        found = await library.download(kind, CODE)
        assert found is not None
        assert (found.name, found.content_type) == (f"{prefix}-2026-00001.pdf", "application/pdf")
        assert found.content.startswith(b"%PDF")
        assert await library.download(kind, f"{CODE}.2") is None
    attached = await library.file(Document("receipt", CODE))
    assert attached.url.startswith(f"https://shop.example/files/receipt/{CODE}?")
    assert await library.download("ledger", CODE) is None
    with pytest.raises(NotFound):
        await library.file(Document("credit_note", "BK-NONE"))
