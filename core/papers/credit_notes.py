"""Credit notes: what is taken off invoices once issued, since an invoice never changes.

Invoices less credit notes are what a booking is billed: its price, or what the shop keeps of a cancelled one.
PPN goes down in proportion, and what is left of it is rounded once.
"""

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.tables import Booking, CreditNote, Invoice, LedgerEntry
from core.messaging.messages import Document, message, say
from core.money import Money
from core.notices.tell import tell
from core.papers import invoices, numbering
from core.papers.invoices import InvoiceFacts
from core.papers.numbering import PaperFacts
from core.states import BookingStatus, CreditReason, LedgerKind


class CreditedInvoice(BaseModel):
    model_config = ConfigDict(frozen=True)

    number: str
    issued_at: AwareDatetime
    items: tuple[str, ...]
    total: Money


class CreditNoteFacts(PaperFacts):
    """What a credit note says, frozen when it is issued."""

    reason: CreditReason
    invoices: tuple[CreditedInvoice, ...]
    credited_before: Money
    """The sum of earlier credit notes."""
    keeps: Money
    """What is still billed, PPN included."""
    tax_base: Money
    """DPP taken off; 0 where no PPN was charged."""
    tax_amount: Money
    """PPN taken off, part of the total."""
    total: Money


async def issue(ctx: Context, booking: Booking, *, keeps: Money, reason: CreditReason) -> Document | None:
    """Credit what is billed above `keeps`; the paper to send, None where that is nothing.

    The booking must be locked, its lines loaded.
    """
    if not await numbering.issued(ctx.session, Invoice, booking.id):
        return None
    await invoices.issue_all(ctx, booking)  # what is kept may exceed what was invoiced so far
    return await _make(ctx, booking, keeps=keeps, reason=reason)


async def replace_invoices(ctx: Context, booking: Booking) -> Document | None:
    """Credit a changed booking's invoices in full and issue one of what it is now; None where none was issued.

    The booking must be locked, its lines loaded.
    """
    if not await invoices.standing(ctx.session, booking.id):
        return None
    await _make(ctx, booking, keeps=0, reason=CreditReason.CHANGED)
    return await invoices.reissue(ctx, booking)


async def _make(ctx: Context, booking: Booking, *, keeps: Money, reason: CreditReason) -> Document | None:
    standing = await invoices.standing(ctx.session, booking.id)
    billed = [InvoiceFacts.from_json(each.facts) for each in standing]
    every = await numbering.issued(ctx.session, CreditNote, booking.id)
    notes = [CreditNoteFacts.from_json(each.facts) for each in every]
    earlier = [each for each in notes if each.reason is not CreditReason.CHANGED]
    if keeps >= sum(each.total for each in billed) - sum(each.total for each in earlier):
        return None
    number = await numbering.next_number(ctx, numbering.CREDIT_NOTE)
    facts = CreditNoteFacts(
        **numbering.letterhead(ctx, booking, number=number),
        reason=reason,
        invoices=tuple(
            CreditedInvoice(
                number=each.number,
                issued_at=each.issued_at,
                items=tuple(line.name for line in each.lines),
                total=each.total,
            )
            for each in billed
        ),
        credited_before=sum(each.total for each in earlier),
        keeps=keeps,
        **taken_off(billed, earlier, keeps),
    )
    ctx.session.add(CreditNote(number=number, booking_id=booking.id, issued_at=ctx.now, facts=facts.to_json()))
    await ctx.session.flush()
    return Document("credit_note", numbering.names(booking.code, len(every) + 1)[-1])


async def after_refund(ctx: Context, booking: Booking) -> None:
    """Credit what a cancelled or completed booking isn't paid any more, after Midtrans reported an unexpected refund.

    Any other booking stays billed in full. What a cardholder's bank charged back is still owed.
    """
    if booking.status not in (BookingStatus.CANCELLED, BookingStatus.COMPLETED):
        return
    entered = await ctx.session.scalar(
        select(func.sum(LedgerEntry.amount)).where(
            LedgerEntry.booking_id == booking.id, LedgerEntry.kind != LedgerKind.CHARGED_BACK
        )
    )
    keeps = max(0, int(entered or 0) - booking.going_back)
    paper = await issue(ctx, booking, keeps=keeps, reason=CreditReason.REFUNDED)
    if paper is None:
        return
    news = message(say("papers.credited", code=booking.code), document=paper)
    await tell(ctx, booking, f"credited:{paper.id}", chat=news, mail=news, waited_for=False)


async def load(session: AsyncSession, name: str) -> CreditNoteFacts:
    """A credit note by its name (`numbering.names`); raises `NotFound`."""
    notes, index = await numbering.find(session, CreditNote, name)
    return CreditNoteFacts.from_json(notes[index].facts)


def taken_off(billed: list[InvoiceFacts], earlier: list[CreditNoteFacts], keeps: Money) -> dict[str, Money]:
    """Total, DPP and PPN of a further credit note, so that exactly `keeps` and its share of PPN stay billed."""
    total = sum(each.total for each in billed)
    return {
        "total": total - keeps - sum(each.total for each in earlier),
        **{
            name: whole - _part(whole, keeps, total) - sum(getattr(each, name) for each in earlier)
            for name, whole in (
                ("tax_base", sum(each.tax_base for each in billed)),
                ("tax_amount", sum(each.tax_amount for each in billed)),
            )
        },
    }


def _part(whole: Money, share: Money, of: Money) -> Money:
    """`whole` x `share` / `of`, rounded half up."""
    return (2 * whole * share + of) // (2 * of)
