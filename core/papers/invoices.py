"""Invoices: one per booking, and a supplementary one of what was agreed after it, with their facts frozen.

Lines are only added to a booking, so those beyond the lines of its earlier invoices are new. Payments come from the
ledger, and pay a booking's invoices one after the other.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.tables import Booking, BookingLine, CreditNote, Invoice, LedgerEntry, Technician
from core.messaging.messages import Document
from core.money import Money
from core.papers import numbering
from core.papers.numbering import PaperFacts
from core.states import CreditReason, Location

CREDITED = "credited"
"""The kind of a `Payment` that is a credit note."""


class Payment(NamedTuple):
    """A ledger entry on an invoice (negative: money that went back), or a credit note."""

    at: datetime
    kind: str
    method: str
    """Of a credit note: its number."""
    amount: Money


class InvoiceLine(BaseModel):
    """`total` is quantity x price less the discount in percent."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str
    """part, service or fee."""
    quantity: int
    price: Money
    discount: int
    total: Money
    warranty_months: int


class InvoiceFacts(PaperFacts):
    """What an invoice says, frozen when it is issued."""

    supplements: str | None = None
    """The number of the booking's first invoice, on a supplementary one."""

    starts_at: AwareDatetime
    location: Location
    address: str | None
    technician: str | None

    lines: tuple[InvoiceLine, ...]
    subtotal_parts: Money
    subtotal_services: Money
    onsite_fee: Money
    additional_costs: Money
    discounts: Money
    """The sum of all discounts; the subtotals are after discounts."""
    tax_base: Money
    """DPP; 0 while no PPN is charged."""
    tax_amount: Money
    total: Money


async def issue(ctx: Context, booking: Booking) -> Invoice:
    """The booking's first invoice, issued now if there is none; `booking.lines` must be loaded."""
    # Two calls at once wait for each other here, so that the second one finds the invoice of the first.
    await ctx.session.execute(select(Booking.id).where(Booking.id == booking.id).with_for_update(key_share=True))
    earlier = await standing(ctx.session, booking.id)
    return earlier[0] if earlier else await _make(ctx, booking, earlier)


async def issue_all(ctx: Context, booking: Booking) -> list[str]:
    """Issue what isn't on an invoice yet; returns the names of the booking's invoices, whose sum is its total.

    The booking must be locked, its lines loaded.
    """
    earlier = await standing(ctx.session, booking.id)
    if not earlier or len(booking.lines) > sum(len(invoice.facts["lines"]) for invoice in earlier):
        earlier.append(await _make(ctx, booking, earlier))
    every = await numbering.issued(ctx.session, Invoice, booking.id)
    # Those that stand are the latest.
    return numbering.names(booking.code, len(every))[-len(earlier) :]


async def reissue(ctx: Context, booking: Booking) -> Document:
    """An invoice of the whole booking in place of earlier ones, which the caller credits in full."""
    await _make(ctx, booking, ())
    every = await numbering.issued(ctx.session, Invoice, booking.id)
    return Document("invoice", numbering.names(booking.code, len(every))[-1])


async def standing(session: AsyncSession, booking_id: int) -> list[Invoice]:
    """A booking's invoices without those that another one replaced when it was changed; the oldest first."""
    replaced = _numbers(await _replacing(session, booking_id))
    return [each for each in await numbering.issued(session, Invoice, booking_id) if each.number not in replaced]


async def _replacing(session: AsyncSession, booking_id: int) -> list[CreditNote]:
    """The credit notes by which invoices were replaced."""
    notes = await numbering.issued(session, CreditNote, booking_id)
    return [note for note in notes if note.facts["reason"] == CreditReason.CHANGED]


def _numbers(notes: Iterable[CreditNote]) -> set[str]:
    return {invoice["number"] for note in notes for invoice in note.facts["invoices"]}


async def load(session: AsyncSession, paper: str) -> tuple[InvoiceFacts, tuple[Payment, ...]]:
    """An invoice by its name (`numbering.names`), with its payments and credits until now.

    Raises `NotFound`.
    """
    issued, which = await numbering.find(session, Invoice, paper)
    booking = await session.get_one(Booking, issued[which].booking_id)
    replacing = await _replacing(session, booking.id)
    for note in replacing:
        if issued[which].number in _numbers([note]):
            credited = Payment(note.issued_at, CREDITED, note.number, issued[which].facts["total"])
            return InvoiceFacts.from_json(issued[which].facts), (credited,)
    own = issued[which]
    issued = [each for each in issued if each.number not in _numbers(replacing)]
    which = issued.index(own)
    facts = [InvoiceFacts.from_json(invoice.facts) for invoice in issued]
    before = sum(each.total for each in facts[:which])
    after = sum(each.total for each in facts[which + 1 :])
    last = which == len(facts) - 1 and before + facts[which].total >= booking.total_price
    paid = share(
        await payments_of(session, booking.id),
        begins=before if which else None,
        ends=None if last else before + facts[which].total,
    )
    # What the shop keeps pays for the first invoices, so credits are taken off the last one first.
    notes = await numbering.issued(session, CreditNote, booking.id)
    others = [note for note in notes if note not in replacing]
    credits_ = [Payment(note.issued_at, CREDITED, note.number, note.facts["total"]) for note in others]
    off = share(credits_, begins=after, ends=after + facts[which].total)
    return facts[which], (*paid, *off)


def share(entries: Iterable[Payment], *, begins: Money | None, ends: Money | None) -> tuple[Payment, ...]:
    """The part of these payments between two sums of money received (None: no bound on that side)."""

    def within(received: Money) -> Money:
        above = received if begins is None else max(received, begins)
        return above if ends is None else min(above, ends)

    shares, received = [], 0
    for entry in entries:
        amount = within(received + entry.amount) - within(received)
        received += entry.amount
        if amount:
            shares.append(entry._replace(amount=amount))
    return tuple(shares)


async def payments_of(session: AsyncSession, booking_id: int) -> tuple[Payment, ...]:
    """A booking's ledger entries, oldest first."""
    entries = await session.scalars(
        select(LedgerEntry).where(LedgerEntry.booking_id == booking_id).order_by(LedgerEntry.at, LedgerEntry.id)
    )
    return tuple(Payment(entry.at, entry.kind, entry.method, entry.amount) for entry in entries)


async def _make(ctx: Context, booking: Booking, earlier: Sequence[Invoice]) -> Invoice:
    number = await numbering.next_number(ctx, numbering.INVOICE)
    before = [InvoiceFacts.from_json(invoice.facts) for invoice in earlier]
    facts = await _facts(ctx, booking, before, number=number)
    invoice = Invoice(number=number, booking_id=booking.id, issued_at=ctx.now, facts=facts.to_json())
    ctx.session.add(invoice)
    await ctx.session.flush()
    return invoice


async def _facts(ctx: Context, booking: Booking, before: Sequence[InvoiceFacts], *, number: str) -> InvoiceFacts:
    technician = await ctx.session.get(Technician, booking.technician_id) if booking.technician_id else None
    lines = tuple(map(_line, booking.lines[sum(len(facts.lines) for facts in before) :]))
    return InvoiceFacts(
        **numbering.letterhead(ctx, booking, number=number),
        supplements=before[0].number if before else None,
        starts_at=booking.starts_at,
        location=booking.location,
        address=booking.address,
        technician=technician.name if technician else None,
        lines=lines,
        subtotal_parts=booking.subtotal_parts - sum(facts.subtotal_parts for facts in before),
        subtotal_services=booking.subtotal_services - sum(facts.subtotal_services for facts in before),
        onsite_fee=booking.onsite_fee - sum(facts.onsite_fee for facts in before),
        additional_costs=booking.additional_costs - sum(facts.additional_costs for facts in before),
        discounts=sum(line.quantity * line.price - line.total for line in lines),
        tax_base=booking.tax_base - sum(facts.tax_base for facts in before),
        tax_amount=booking.tax_amount - sum(facts.tax_amount for facts in before),
        total=booking.total_price - sum(facts.total for facts in before),
    )


def _line(line: BookingLine) -> InvoiceLine:
    kind = "part" if line.part_id else "service" if line.service_id else "fee"
    return InvoiceLine(
        name=line.name,
        kind=kind,
        quantity=line.quantity,
        price=line.price,
        discount=line.discount,
        total=line.total,
        warranty_months=line.warranty_months,
    )
