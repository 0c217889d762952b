"""Documents as the channels attach them and as signed links serve them.

Document(kind, id) ── file ──┐
signed link ──────────────── download ──┬── invoice, receipt, credit_note ──> rendered from facts and ledger
                                        ├── photo, file ────────────────────> as it was sent
                                        ├── week ───────────────────────────> drawn from the slots
                                        └── report ─────────────────────────> the month's CSV
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import select

from bot.channels.sending import File
from bot.papers import chart, monthly_sheet, pdf
from bot.papers.photos import Photos
from core import media
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking
from core.messaging.messages import Document
from core.papers import credit_notes, invoices, receipts
from core.papers.invoices import Payment
from core.papers.numbering import PaperFacts
from core.refusals import NotFound
from core.reports import monthly, overview
from core.shop import Shop
from webhooks import files, payment_pages
from webhooks.files import Download

FILE_LINKS_LAST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Library:
    """Loads or renders a document by kind and id."""

    database: Database
    photos: Photos
    secret: bytes
    public_url: str
    shop: Shop
    clock: Callable[[], datetime]

    async def file(self, document: Document) -> File:
        """A message's document as an attachment; raises `NotFound`."""
        found = await self.download(document.kind, document.id)
        if found is None:
            raise NotFound(code=document.id)
        return File(found.name, found.content_type, found.content, self.link(document.kind, document.id))

    def link(self, kind: str, name: str) -> str:
        """The document's signed URL, valid for `FILE_LINKS_LAST`."""
        return self.public_url + files.sign(self.secret, kind, name, self.clock() + FILE_LINKS_LAST)

    def pay_page(self, code: str) -> str:
        """The URL of the page on which that booking can be paid."""
        return self.public_url + payment_pages.sign(self.secret, code)

    async def download(self, kind: str, code: str) -> Download | None:
        match kind:
            case "invoice" | "receipt" | "credit_note":
                return await self._paper(kind, code)
            case "photo":
                content = await self.photos.load(code)
                return Download(code, media.kind_of_key(code).content_type, content) if content else None
            case "file" if media.is_file_key(code):
                content = await self.photos.load(code)
                return Download(code, media.file_kind_of_key(code).content_type, content) if content else None
            case "week":
                return await self._week(code)
            case "report":
                return await self._report(code)
            case _:
                return None

    async def _paper(self, kind: Literal["invoice", "receipt", "credit_note"], name: str) -> Download | None:
        facts: PaperFacts
        payments: tuple[Payment, ...] = ()
        async with self.database.read() as session:
            try:
                match kind:
                    case "invoice":
                        facts, payments = await invoices.load(session, name)
                    case "receipt":
                        facts = await receipts.load(session, name)
                    case "credit_note":
                        facts = await credit_notes.load(session, name)
            except NotFound:
                return None
            language = await session.scalar(select(Booking.language).where(Booking.code == facts.booking_code))
        content = await pdf.make(facts, payments, language=language or "id")
        return Download(facts.number.replace("/", "-") + ".pdf", "application/pdf", content)

    async def _report(self, code: str) -> Download:
        first, _, language = code.partition(".")
        async with self.database.read() as session:
            month = await monthly.load(session, date.fromisoformat(f"{first}-01"), shop=self.shop)
        name = monthly_sheet.file_name(month, language)
        return Download(name, monthly_sheet.CONTENT_TYPE, monthly_sheet.as_csv(month, language))

    async def _week(self, code: str) -> Download:
        monday, _, language = code.partition(".")
        async with self.database.read() as session:
            days = await overview.week(Context(session, self.shop, self.clock()), date.fromisoformat(monday))
        content = await chart.make(days, at=self.shop.local(self.clock()), language=language)
        return Download(f"{monday}.png", "image/png", content)
