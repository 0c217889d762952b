"""A month in figures: money by the ledger, sales by the bookings with an appointment in the month, and what is owed.

Money is paid for a booking, not for one of its lines, and often in another month than the work, so sales and money
stand side by side. One statement reads all figures, so that they are of one moment.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    text,
    type_coerce,
    union,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from core.db.tables import Booking, BookingLine, LedgerEntry, Refund, Technician
from core.money import Money
from core.refusals import BooksDiffer
from core.shop import Shop
from core.states import BookingStatus

_SOLD = (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS, BookingStatus.COMPLETED)
_NO_SHOW = "no_show"
_OPEN = text("refund.state <> 'done'")
"""Written out, not bound: a partial index is only used where its condition can be read in the query."""
COUNTED = (*(status.value for status in BookingStatus), _NO_SHOW)
"""What became of a month's bookings, each counted once."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Money that moved: how many entries, what came in, what was sent back, what banks took back."""

    entries: int = 0
    received: Money = 0
    refunded: Money = 0
    charged_back: Money = 0
    """Reversals included."""

    @property
    def net(self) -> Money:
        return self.received - self.refunded - self.charged_back

    def __add__(self, other: "Moved") -> "Moved":
        return Moved(
            self.entries + other.entries,
            self.received + other.received,
            self.refunded + other.refunded,
            self.charged_back + other.charged_back,
        )


@dataclass(frozen=True, slots=True)
class Share:
    """How many, and for how much: of a part or a service, of bookings, of what is owed."""

    count: int = 0
    amount: Money = 0


@dataclass(frozen=True, slots=True)
class Sale:
    """What was sold of one part or service; `kind`: part, service, extra (agreed costs), onsite or tax."""

    kind: str
    name: str
    """As it was called when it was sold; empty but for a part or a service."""
    sold: Share


@dataclass(frozen=True, slots=True)
class Work:
    """A technician's bookings of the month, what they were sold for, and the money that moved for any of theirs."""

    name: str | None
    """None: nobody was assigned."""
    sold: Share
    money: Moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    first: date
    money: Moved
    methods: Mapping[str, Moved]
    sales: tuple[Sale, ...]
    """The most sold first, fees and tax last."""
    work: tuple[Work, ...]
    bookings: Mapping[str, int]
    """By `COUNTED`."""
    outstanding: Share
    owed_back: Share

    @property
    def sold(self) -> Share:
        """Everything that was sold, and the bookings it was sold with."""
        return Share(sum(each.sold.count for each in self.work), sum(each.sold.amount for each in self.work))


async def load(session: AsyncSession, first: date, *, shop: Shop) -> Month:
    """The figures of the month that begins on `first`, by the shop's clock; raises `BooksDiffer`."""
    found: dict[str, list[_Row]] = defaultdict(list)
    for row in await session.execute(_statement(*_span(first, shop))):
        what, one, two, three, many, amount = row
        # PostgreSQL adds whole numbers up to a decimal, and nothing up to NULL.
        found[what].append(_Row(what, one, two, three, int(many or 0), int(amount or 0)))
    _check(found)
    counts = {row.one or row.what: row.many for row in [*found["booked"], *found[_NO_SHOW]]}
    methods = dict.fromkeys(row.two or "" for row in sorted(found["entry"], key=lambda row: -row.amount))
    names = dict((await session.execute(select(Technician.id, Technician.name))).all())
    return Month(
        first=first,
        money=_moved(found["entry"]),
        methods={method: _moved(row for row in found["entry"] if row.two == method) for method in methods},
        sales=_sales(found),
        work=_work(found, names),
        bookings={name: counts.get(name, 0) for name in COUNTED},
        outstanding=_share(found["outstanding"]),
        owed_back=_share(found["owed_back"]),
    )


def month_of(day: date) -> date:
    return day.replace(day=1)


def month_after(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def month_before(first: date) -> date:
    return month_of(first - timedelta(days=1))


# --- one statement ---------------------------------------------------------------------------------


class _Row(NamedTuple):
    what: str
    one: str | None
    two: str | None
    three: str | None
    many: int
    amount: Money


_Moments = InstrumentedAttribute[datetime]
_Word = ColumnElement[str] | InstrumentedAttribute[str] | InstrumentedAttribute[str | None]
_Branch = Select[*tuple[Any, ...]]


def _span(first: date, shop: Shop) -> tuple[datetime, datetime]:
    return shop.at(first, time()), shop.at(month_after(first), time())


def _statement(begin: datetime, end: datetime) -> CompoundSelect[*tuple[Any, ...]]:
    def within(moment: _Moments) -> ColumnElement[bool]:
        return and_(moment >= begin, moment < end)

    return union_all(
        *_money(within(LedgerEntry.at)),
        *_sold(and_(within(Booking.starts_at), Booking.status.in_(_SOLD))),
        *_calendar(within(Booking.starts_at)),
        _wrong(within(Booking.starts_at), within(LedgerEntry.at)),
    )


def _money(in_month: ColumnElement[bool]) -> Iterable[_Branch]:
    by = (type_coerce(LedgerEntry.kind, Text), LedgerEntry.method, Booking.technician_id)
    entries, amount = func.count(), func.sum(LedgerEntry.amount)
    each = _branch("entry", *by, count=entries, amount=amount).join_from(LedgerEntry, Booking)
    yield each.where(in_month).group_by(*by)
    yield _branch("ledger", count=entries, amount=amount).select_from(LedgerEntry).where(in_month)
    yield _branch("owed_back", count=func.count(), amount=func.sum(Refund.amount)).select_from(Refund).where(_OPEN)


def _sold(in_month: ColumnElement[bool]) -> Iterable[_Branch]:
    by = (BookingLine.part_id, BookingLine.service_id)
    quantity, amount = func.sum(BookingLine.quantity), func.sum(BookingLine.total)
    lines = _branch("line", *by, func.max(BookingLine.name), count=quantity, amount=amount)
    yield lines.join_from(Booking, BookingLine).where(in_month).group_by(*by)
    for kind, fee in (("onsite", Booking.onsite_fee), ("tax", Booking.tax_amount)):
        yield _branch(kind, count=func.count().filter(fee > 0), amount=func.sum(fee)).where(in_month)
    sold = _branch("sold", Booking.technician_id, count=func.count(), amount=func.sum(Booking.total_price))
    yield sold.where(in_month).group_by(Booking.technician_id)


def _calendar(in_month: ColumnElement[bool]) -> Iterable[_Branch]:
    came = Booking.no_show_at.is_(None)
    by_status = _branch("booked", cast(Booking.status, Text), count=func.count(), amount=literal(0))
    yield by_status.where(in_month, came).group_by(Booking.status)
    yield _branch(_NO_SHOW, count=func.count(), amount=literal(0)).where(in_month, ~came)
    # A booking that waits for money counts while its slot is held, or once something was paid.
    waits = and_(Booking.status == BookingStatus.PENDING, or_(Booking.holding, Booking.paid_amount > 0))
    lives = or_(Booking.status.in_(_SOLD), waits)
    rest = Booking.total_price - Booking.waived - Booking.paid_amount
    yield _branch("outstanding", count=func.count(), amount=func.sum(rest)).where(in_month, lives, rest > 0)


def _wrong(planned: ColumnElement[bool], moved: ColumnElement[bool]) -> _Branch:
    """The bookings that this month is about whose paid amount isn't what the ledger holds of them."""
    concerned = union(select(Booking.id).where(planned), select(LedgerEntry.booking_id).where(moved))
    entered = select(func.coalesce(func.sum(LedgerEntry.amount), 0)).where(LedgerEntry.booking_id == Booking.id)
    held = entered.correlate(Booking).scalar_subquery()
    differs = and_(Booking.paid_amount != held, or_(Booking.paid_amount != 0, held > 0))  # never below nothing
    found = _branch("wrong", func.min(Booking.code), count=func.count(), amount=literal(0))
    return found.where(Booking.id.in_(concerned), differs)


def _branch(what: str, *words: _Word, count: ColumnElement[int], amount: ColumnElement[int]) -> _Branch:
    nothing = [cast(null(), Text)] * (3 - len(words))
    return select(literal(what), *words, *nothing, count, amount)


# --- what its rows come to -------------------------------------------------------------------------


def _check(found: Mapping[str, list[_Row]]) -> None:
    """Raise `BooksDiffer` unless every part of the report comes to the sum that was taken apart from it."""
    (ledger,), (wrong,) = found["ledger"], found["wrong"]
    money = _moved(found["entry"])
    if (money.entries, money.net) != (ledger.many, ledger.amount):
        raise BooksDiffer(where="ledger", one=money.net, other=ledger.amount)
    priced = sum(row.amount for what in ("line", "onsite", "tax") for row in found[what])
    sold = sum(row.amount for row in found["sold"])
    if priced != sold:
        raise BooksDiffer(where="sales", one=priced, other=sold)
    if wrong.many:
        raise BooksDiffer(where=wrong.one, one=wrong.many, other=0)


def _moved(entries: Iterable[_Row]) -> Moved:
    """The sum of entries of any kind; an unknown kind would be missing in it, and so be seen by `_check`."""
    kinds: dict[str | None, Money] = defaultdict(int)
    count = 0
    for row in entries:
        kinds[row.one] += row.amount
        count += row.many
    return Moved(
        entries=count,
        received=kinds["received"] + kinds["cash"],
        refunded=-kinds["refunded"],
        charged_back=-kinds["charged_back"] - kinds["reversed"],
    )


def _sales(found: Mapping[str, list[_Row]]) -> tuple[Sale, ...]:
    lines = []
    for row in found["line"]:
        kind = "part" if row.one else "service" if row.two else "extra"
        lines.append(Sale(kind, (row.three or "") if kind != "extra" else "", Share(row.many, row.amount)))
    lines.sort(key=lambda each: (-each.sold.amount, each.name))
    goods = [each for each in lines if each.name]
    extras = [each for each in lines if not each.name]
    fees = [Sale(kind, "", _share(found[kind])) for kind in ("onsite", "tax") if found[kind][0].amount]
    return (*goods, *extras, *fees)


def _work(found: Mapping[str, list[_Row]], names: Mapping[str, str]) -> tuple[Work, ...]:
    sold = {row.one: Share(row.many, row.amount) for row in found["sold"]}
    moved: dict[str | None, Moved] = defaultdict(Moved)
    for row in found["entry"]:
        moved[row.three] += _moved([row])
    work = [Work(names.get(who or ""), sold.get(who, Share()), moved[who]) for who in {**sold, **moved}]
    return tuple(sorted(work, key=lambda each: (each.name is None, -each.sold.amount, each.name)))


def _share(rows: list[_Row]) -> Share:
    return Share(rows[0].many, rows[0].amount)
