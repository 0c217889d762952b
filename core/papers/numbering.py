"""What all papers share: numbers without gaps within a year (INV/2026/00001), names, and a letterhead.

A booking's papers of a kind are named by its code: "BK-7F3K2Q", "BK-7F3K2Q.2", "BK-7F3K2Q.3" …
The database refuses to change or delete them (triggers in `migrations`); only personal data can be erased (`privacy`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.tables import Booking, CreditNote, Invoice, Receipt
from core.refusals import NotFound

INVOICE, CREDIT_NOTE, RECEIPT = ("invoice", "INV"), ("credit_note", "NK"), ("receipt", "KW")
"""The counter of each series, and what its numbers begin with."""
Kind = TypeVar("Kind", bound=Invoice | CreditNote | Receipt)


class PaperFacts(BaseModel):
    """What every paper says, frozen when it is issued."""

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

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        return cls.model_validate(facts)


@dataclass(frozen=True, slots=True)
class Papers:
    """Names, the oldest first."""

    invoices: Sequence[str]
    receipts: Sequence[str]
    credit_notes: Sequence[str]


async def next_number(ctx: Context, series: tuple[str, str]) -> str:
    """The next number of a series in the shop's year."""
    counter, prefix = series
    year = ctx.shop.local(ctx.now).year
    # The row stays locked until the transaction ends, so a number that is rolled back is used by the next one.
    last = await ctx.session.scalar(
        text(
            "INSERT INTO counter (name, last) VALUES (:name, 1)"
            " ON CONFLICT (name) DO UPDATE SET last = counter.last + 1 RETURNING last"
        ),
        {"name": f"{counter}:{year}"},
    )
    return f"{prefix}/{year}/{last:05}"


def letterhead(ctx: Context, booking: Booking, *, number: str) -> dict[str, Any]:
    """The values of `PaperFacts`."""
    return {
        "number": number,
        "issued_at": ctx.now,
        "timezone": ctx.shop.timezone,
        "shop_name": ctx.shop.name,
        "shop_address": ctx.shop.address,
        "shop_city": ctx.shop.city,
        "shop_contact": ctx.shop.contact,
        "shop_email": ctx.shop.email,
        "customer_name": booking.name,
        "customer_phone": booking.phone,
        "customer_email": booking.email,
        "car": f"{booking.car_brand} {booking.car_model} {booking.car_year}",
        "plate": booking.plate,
        "booking_code": booking.code,
    }


async def of_booking(session: AsyncSession, booking: Booking) -> Papers:
    counted = (
        select(func.count()).where(kind.booking_id == booking.id).scalar_subquery()
        for kind in (Invoice, Receipt, CreditNote)
    )
    invoices, receipts, notes = (await session.execute(select(*counted))).one()
    return Papers(names(booking.code, invoices), names(booking.code, receipts), names(booking.code, notes))


def names(code: str, count: int) -> list[str]:
    """The names of the first `count` papers of a kind."""
    return [code if number == 1 else f"{code}.{number}" for number in range(1, count + 1)]


async def issued(session: AsyncSession, kind: type[Kind], booking_id: int) -> list[Kind]:
    """A booking's papers of a kind, the oldest first."""
    # By length first: 100000 comes after 99999.
    order = (kind.issued_at, func.length(kind.number), kind.number)
    return list(await session.scalars(select(kind).where(kind.booking_id == booking_id).order_by(*order)))


async def find(session: AsyncSession, kind: type[Kind], name: str) -> tuple[list[Kind], int]:
    """A booking's papers of a kind, and the index of the one with this name; raises `NotFound`."""
    code = name.partition(".")[0]
    booking_id = await session.scalar(select(Booking.id).where(Booking.code == code))
    made = await issued(session, kind, booking_id) if booking_id else []
    by_name = names(code, len(made))
    if name not in by_name:
        raise NotFound(code=name)
    return made, by_name.index(name)
