"""Invoices: issued once per booking, numbered without gaps within a year, with their facts frozen.

    issue ── Counter ──> INV/2026/00001 ──> Invoice.facts = InvoiceFacts as JSON
    load  ── by the booking's code ──> InvoiceFacts and what was paid until now

What was paid is never frozen: the ledger tells it whenever the invoice is looked at.
"""

from datetime import datetime
from typing import Any, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.money import Money
from core.refusals import NotFound
from core.shop import Shop
from core.states import Location
from core.tables import Booking, BookingLine, Invoice, LedgerEntry, Technician


class Payment(NamedTuple):
    """One entry of the ledger as an invoice shows it; the amount is negative when money went back."""

    at: datetime
    kind: str
    method: str
    amount: Money


class InvoiceLine(BaseModel):
    """One line: `total` is quantity x price less the discount in percent."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str
    """part, service or fee."""
    quantity: int
    price: Money
    discount: int
    total: Money
    warranty_months: int


class InvoiceFacts(BaseModel):
    """All that an invoice says, as it was when it was issued."""

    model_config = ConfigDict(frozen=True)

    number: str
    issued_at: AwareDatetime
    timezone: str

    shop_name: str
    shop_address: str
    shop_city: str
    shop_contact: str
    shop_email: str

    customer_name: str
    customer_phone: str
    customer_email: str | None
    car: str
    plate: str | None

    booking_code: str
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
    """What the discounts took off; the subtotals are after it."""
    tax_base: Money
    """DPP; 0 while no PPN is charged."""
    tax_amount: Money
    total: Money

    def to_json(self) -> dict[str, Any]:
        """The facts as plain JSON values."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "InvoiceFacts":
        """The facts that `to_json` wrote."""
        return cls.model_validate(facts)


async def issue(session: AsyncSession, booking: Booking, *, shop: Shop, now: datetime) -> Invoice:
    """The booking's invoice, made and numbered when there is none yet; `booking.lines` must be loaded."""
    # Two at once meet here, so that the second one sees the invoice of the first.
    await session.execute(select(Booking.id).where(Booking.id == booking.id).with_for_update(key_share=True))
    issued = await session.scalar(select(Invoice).where(Invoice.booking_id == booking.id))
    if issued is not None:
        return issued
    number = await _next_number(session, year=shop.local(now).year)
    facts = await _facts(session, booking, number=number, shop=shop, now=now)
    invoice = Invoice(number=number, booking_id=booking.id, issued_at=now, facts=facts.to_json())
    session.add(invoice)
    await session.flush()
    return invoice


async def load(session: AsyncSession, code: str) -> tuple[InvoiceFacts, tuple[Payment, ...]]:
    """The invoice of a booking by its code, with what was paid until now; raises `NotFound` before one was issued."""
    invoice = await session.scalar(
        select(Invoice).join(Booking, Booking.id == Invoice.booking_id).where(Booking.code == code)
    )
    if invoice is None:
        raise NotFound(code=code)
    return InvoiceFacts.from_json(invoice.facts), await payments_of(session, invoice.booking_id)


async def payments_of(session: AsyncSession, booking_id: int) -> tuple[Payment, ...]:
    """What the ledger says of a booking, oldest first."""
    entries = await session.scalars(
        select(LedgerEntry).where(LedgerEntry.booking_id == booking_id).order_by(LedgerEntry.at, LedgerEntry.id)
    )
    return tuple(Payment(entry.at, entry.kind, entry.method, entry.amount) for entry in entries)


async def _next_number(session: AsyncSession, *, year: int) -> str:
    # One statement on both databases; its row stays locked until the transaction ends,
    # so a number that is rolled back is given to the next one.
    last = await session.scalar(
        text(
            "INSERT INTO counter (name, last) VALUES (:name, 1)"
            " ON CONFLICT (name) DO UPDATE SET last = counter.last + 1 RETURNING last"
        ),
        {"name": f"invoice:{year}"},
    )
    return f"INV/{year}/{last:05}"


async def _facts(session: AsyncSession, booking: Booking, *, number: str, shop: Shop, now: datetime) -> InvoiceFacts:
    technician = await session.get(Technician, booking.technician_id) if booking.technician_id else None
    lines = tuple(map(_line, booking.lines))
    return InvoiceFacts(
        number=number,
        issued_at=now,
        timezone=shop.timezone,
        shop_name=shop.name,
        shop_address=shop.address,
        shop_city=shop.city,
        shop_contact=shop.contact,
        shop_email=shop.email,
        customer_name=booking.name,
        customer_phone=booking.phone,
        customer_email=booking.email,
        car=f"{booking.car_brand} {booking.car_model} {booking.car_year}",
        plate=booking.plate,
        booking_code=booking.code,
        starts_at=booking.starts_at,
        location=booking.location,
        address=booking.address,
        technician=technician.name if technician else None,
        lines=lines,
        subtotal_parts=booking.subtotal_parts,
        subtotal_services=booking.subtotal_services,
        onsite_fee=booking.onsite_fee,
        additional_costs=booking.additional_costs,
        discounts=sum(line.quantity * line.price - line.total for line in lines),
        tax_base=booking.tax_base,
        tax_amount=booking.tax_amount,
        total=booking.total_price,
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
