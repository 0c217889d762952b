"""Figures of the day and week, and lists of bookings."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from core.context import Context
from core.db.tables import Booking, LedgerEntry
from core.money import Money
from core.schedule import bookings
from core.shop import Shop
from core.states import BookingStatus, PaymentStatus

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """How many bookings stand where, and the revenue: money received less money that went back (api.md)."""

    total: int
    pending: int
    confirmed: int
    in_progress: int
    completed: int
    cancelled: int
    revenue: Money


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day: the jobs on its calendar, and the money that came in (or, when negative, went back) on it."""

    day: date
    bookings: int
    revenue: Money


async def dashboard(session: AsyncSession) -> Dashboard:
    revenue = await session.scalar(select(func.coalesce(func.sum(LedgerEntry.amount), 0)))
    query = select(Booking.status, func.count()).group_by(Booking.status)
    counts = dict((await session.execute(query)).all())
    return Dashboard(
        total=sum(counts.values()),
        revenue=int(revenue or 0),  # PostgreSQL adds whole numbers up to a decimal
        **{status.value: counts.get(status, 0) for status in BookingStatus},
    )


async def week(ctx: Context, day: date) -> list[DayFigures]:
    """The week from Monday to Sunday around a day, by the shop's clock; cancelled jobs don't count."""
    monday = day - timedelta(days=day.weekday())
    jobs = await ctx.session.scalars(
        select(Booking.starts_at).where(
            *_between(Booking.starts_at, monday, monday + 7 * _DAY, ctx.shop), Booking.status != BookingStatus.CANCELLED
        )
    )
    money = await ctx.session.execute(
        select(LedgerEntry.at, LedgerEntry.amount).where(*_between(LedgerEntry.at, monday, monday + 7 * _DAY, ctx.shop))
    )
    booked = Counter(ctx.shop.local(starts_at).date() for starts_at in jobs)
    earned: Counter[date] = Counter()
    for at, amount in money:
        earned[ctx.shop.local(at).date()] += amount
    return [DayFigures(each, booked[each], earned[each]) for each in (monday + number * _DAY for number in range(7))]


async def find(
    ctx: Context,
    *,
    status: BookingStatus | None = None,
    payment_status: PaymentStatus | None = None,
    day: date | None = None,
    technician_id: str | None = None,
    search: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[Sequence[Booking], int]:
    """A page of bookings, loaded as by `bookings.load`, the latest appointment (on `day`) first; and how many match.

    `search`: a part of a name, phone, plate or code.
    """
    wanted: list[ColumnElement[bool]] = []
    if status is not None:
        wanted.append(Booking.status == status)
    if payment_status is not None:
        wanted.append(Booking.payment_status == payment_status)
    if day is not None:
        wanted += _between(Booking.starts_at, day, day + _DAY, ctx.shop)
    if technician_id is not None:
        wanted.append(Booking.technician_id == technician_id)
    if search is not None:
        wanted.append(_named(search))
    total = await ctx.session.scalar(select(func.count()).select_from(Booking).where(*wanted))
    page = bookings.select_bookings().where(*wanted).order_by(Booking.starts_at.desc(), Booking.id.desc())
    return (await ctx.session.scalars(page.limit(limit).offset(offset))).all(), total or 0


def _named(search: str) -> ColumnElement[bool]:
    """Phones and plates however they are written: 0812-3456 is +62812…3456…, b1234xyz is B 1234 XYZ."""
    plate = "".join(search.upper().split())
    found = [
        *(column.icontains(search.strip(), autoescape=True) for column in (Booking.name, Booking.code)),
        func.replace(Booking.plate, " ", "").contains(plate, autoescape=True),
    ]
    digits = re.sub(r"[\s().+-]", "", search)
    if digits.isdecimal():
        found.append(Booking.phone.contains(re.sub(r"^(0|62)", "", digits), autoescape=True))
    return or_(*found)


def _between(moment: InstrumentedAttribute[datetime], first: date, end: date, shop: Shop) -> list[ColumnElement[bool]]:
    """From the beginning of the first day to the beginning of the end day, by the shop's clock."""
    return [moment >= shop.at(first, time()), moment < shop.at(end, time())]
