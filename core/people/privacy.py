"""Exporting what is stored about a person, and erasing what no law makes the shop keep.

    find ──> Customer ── export ──> every row about them, as JSON
                      └─ erase ───> names, numbers, addresses, plates, messages and photos go;
                                    bookings, money and papers stay, without a person

Each table declares what happens to its rows (`core.db.personal`). Replies to staff (a job, a day's list) may name
several people: they are found by their words, and erased, not exported.

Law: papers are kept for ten years after the year they were issued in (UU KUP art. 28 (11)), with the buyer's name, and
where PPN was charged with the address too (UU PPN art. 13 (5)); such a duty goes before the right to be forgotten
(UU PDP art. 43 and 44). After ten years, erasing again removes the name as well.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    RowMapping,
    Table,
    Text,
    and_,
    cast,
    delete,
    false,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from core import media
from core.context import Context
from core.db.personal import NOBODY, Content, Rows, columns_naming_photos, references, tables_about_people
from core.db.tables import Base, Booking, Contact, Customer, IdempotencyKey, Outbox, Refund, Waiting
from core.refusals import NotFound
from core.states import BookingStatus, RefundState, WaitState

PAPERS_KEPT_YEARS = 10
_STAFFS_OWN = {"key", "address", "vendor_id", "error"}
"""Columns of a message to staff that aren't exported: they hold staff's addresses."""
_PROOF = {
    "order_id", "transaction_id", "transaction_status", "status_code", "gross_amount", "currency", "payment_type",
    "fraud_status", "transaction_time", "settlement_time", "refund_key", "refund_amount", "taken_by", "transferred_by",
    "notifications", "duplicate_refund_key",
}  # fmt: skip
"""The part of the evidence that proves a payment and names only staff; cards, accounts and customers' details go."""


class Open(StrEnum):
    """What a person still has with the shop."""

    BOOKING = "booking"
    MONEY = "money"  # owed to them
    WAITLIST = "waitlist"


class StillNeeded(Exception):
    """Why a person can't be erased yet: by the codes of bookings and of places in the waitlist."""

    def __init__(self, matters: Mapping[str, Open]) -> None:
        self.matters = dict(sorted(matters.items()))
        super().__init__(", ".join(self.matters))

    @property
    def codes(self) -> list[str]:
        return [*self.matters]


class Ambiguous(Exception):
    """Several people have this number; search by a booking's code instead."""


async def find(session: AsyncSession, *, phone: str | None = None, code: str | None = None) -> Customer:
    """A person by number (E.164) or by a booking's code; raises `NotFound` and `Ambiguous`."""
    if code is not None:
        named = select(Customer).join(Booking, Booking.customer_id == Customer.id).where(Booking.code == code)
    else:
        named = select(Customer).where(Customer.phone == phone).order_by(Customer.phone_proven.desc())
    found = (await session.scalars(named)).all()
    if not found:
        raise NotFound(code=code or phone)
    if len(found) > 1 and found[0].phone_proven == found[1].phone_proven:
        raise Ambiguous
    return found[0]


async def export(session: AsyncSession, customer: Customer) -> dict[str, list[dict[str, Any]]]:
    """Every row about a person, by table, as JSON values."""
    rows = _RowsOf(session, customer)
    addresses, exported = await rows.addresses(), {}
    for table, declared in tables_about_people(Base.metadata).items():
        if not declared.exported:
            continue
        theirs = select(table).where(await rows.of(table)).order_by(*table.primary_key)
        found = (await session.execute(theirs)).mappings().all()
        if found:
            exported[table.name] = [_exported(table, row, addresses) for row in found]
    return exported


async def check_erasable(session: AsyncSession, customer: Customer) -> None:
    """Raise `StillNeeded` while something is open or owed; locks the person's bookings."""
    await _check_nothing_open(session, _RowsOf(session, customer), customer)


async def erase(ctx: Context, customer: Customer) -> list[str]:
    """Erase a person; returns the keys of their photos, to be deleted. Raises `StillNeeded`."""
    session, rows = ctx.session, _RowsOf(ctx.session, customer)
    await _check_nothing_open(session, rows, customer)
    tables = tables_about_people(Base.metadata)
    theirs = {table: await rows.of(table) for table in tables}
    photos = await _photos(session, theirs)
    codes = await _codes(session, rows)
    also_named_in = await _mentions(ctx, rows, customer, codes)
    for table, declared in tables.items():
        if declared.erase is Rows.KEPT:
            await _clean(ctx, table, theirs[table])
    await session.execute(delete(Outbox).where(also_named_in))
    await session.execute(delete(IdempotencyKey).where(_naming(IdempotencyKey.answer, codes)))  # answers to staff
    for table in reversed(list(tables)):  # what refers to a row goes before it
        if tables[table].erase is Rows.DELETED:
            await session.execute(delete(table).where(theirs[table]))
    return photos


class _RowsOf:
    """Finds the rows about one person: a customer's own, and what refers to such a row."""

    def __init__(self, session: AsyncSession, customer: Customer) -> None:
        self._session, self._customer = session, customer
        self._values: dict[Column[Any], Sequence[Any]] = {}

    async def of(self, table: Table | type[Base]) -> ColumnElement[bool]:
        """The condition for a table's rows, by values, so that it still holds when other tables' rows are deleted."""
        table = table if isinstance(table, Table) else Base.metadata.tables[table.__tablename__]
        declared = tables_about_people(Base.metadata)
        if table.name == Customer.__tablename__:
            return Customer.id == self._customer.id
        conditions: list[ColumnElement[bool]] = [
            column.in_(await self._referred_to(target))
            for column, target in references(table)
            if target.table in declared
        ]
        if declared[table].by_address:
            conditions.append(tuple_(table.c.channel, table.c.address).in_(await self.addresses()))
        return or_(false(), *conditions)

    async def addresses(self) -> list[tuple[str, str]]:
        """Their (channel, address) pairs."""
        chats = await self._session.execute(select(Contact.channel, Contact.address).where(await self.of(Contact)))
        mails = {
            self._customer.email,
            *await self._session.scalars(select(Booking.email).where(await self.of(Booking))),
        }
        return [*((channel, address) for channel, address in chats), *(("email", mail) for mail in mails if mail)]

    async def _referred_to(self, column: Column[Any]) -> Sequence[Any]:
        if column not in self._values:
            found = select(column).where(await self.of(column.table), column.is_not(None))
            self._values[column] = (await self._session.scalars(found)).all()
        return self._values[column]


async def _check_nothing_open(session: AsyncSession, rows: _RowsOf, customer: Customer) -> None:
    ended = (BookingStatus.COMPLETED, BookingStatus.CANCELLED)
    mine = select(Booking).where(Booking.customer_id == customer.id).order_by(Booking.id)
    locked = (await session.scalars(mine.with_for_update(key_share=True))).all()
    owed = select(Booking.code).join(Refund, Refund.booking_id == Booking.id)
    owing = await session.scalars(owed.where(await rows.of(Refund), Refund.state != RefundState.DONE))
    waiting = select(Waiting.booking_code).where(
        await rows.of(Waiting), Waiting.state.in_((WaitState.WAITING, WaitState.OFFERED))
    )
    matters = dict.fromkeys(await session.scalars(waiting), Open.WAITLIST) | dict.fromkeys(owing, Open.MONEY)
    matters |= {booking.code: Open.BOOKING for booking in locked if booking.status not in ended}
    if matters:
        raise StillNeeded(matters)


async def _photos(session: AsyncSession, theirs: Mapping[Table, ColumnElement[bool]]) -> list[str]:
    named: set[str] = set()
    for column in (each for each in columns_naming_photos(Base.metadata) if each.table in theirs):
        for text in await session.scalars(select(cast(column, Text)).where(theirs[column.table], column.is_not(None))):
            named |= media.keys_in(text)
    return sorted(named)


async def _codes(session: AsyncSession, rows: _RowsOf) -> list[str]:
    """The codes of a person's bookings, also of those that the waitlist may offer."""
    booked = await session.scalars(select(Booking.code).where(await rows.of(Booking)))
    waiting = await session.scalars(select(Waiting.booking_code).where(await rows.of(Waiting)))
    return [*booked, *waiting]


def _naming(column: InstrumentedAttribute[dict[str, Any]], words: Iterable[str]) -> ColumnElement[bool]:
    return or_(false(), *(cast(column, Text).contains(word, autoescape=True) for word in words))


async def _mentions(ctx: Context, rows: _RowsOf, customer: Customer, codes: Iterable[str]) -> ColumnElement[bool]:
    """Messages that name a person without a reference: by a booking's code, or in replies to staff."""
    bookings = (await ctx.session.scalars(select(Booking).where(await rows.of(Booking)))).all()
    names = _names([customer, *bookings], await rows.addresses())
    staff = [address for member in ctx.shop.staff for address in member.addresses]
    to_staff, chat = aliased(Outbox), tuple_(Outbox.channel, Outbox.address)
    former_staff = select(to_staff.channel, to_staff.address).where(to_staff.kind == "staff")
    return or_(
        _naming(Outbox.body, codes),
        and_(
            Outbox.kind == "reply",
            chat.in_(staff) | chat.in_(former_staff),
            _naming(Outbox.body, map(json.dumps, names)),  # whole values of a message, as its column writes them
        ),
    )


def _names(called: Iterable[Customer | Booking], addresses: Iterable[tuple[str, str]]) -> set[str]:
    """A person's names, numbers and addresses."""
    names = {name for each in called for name in (each.name, each.phone, each.email)}
    names |= {name for _, address in addresses for name in (address, address.removeprefix("whatsapp:"))}
    return {name for name in names if name and name != NOBODY}


async def _clean(ctx: Context, table: Table, theirs: ColumnElement[bool]) -> None:
    """Remove the person from rows that stay."""
    values = {column.name: column.info["erased_to"] for column in table.columns if "erased_to" in column.info}
    if values:
        await ctx.session.execute(update(table).where(theirs).values(values))
    contents = {column.name: column.info["content"] for column in table.columns if "content" in column.info}
    if not contents:
        return
    for row in (await ctx.session.execute(select(table).where(theirs))).mappings().all():
        cleaned = {name: _cleaned(ctx, content, row[name], row) for name, content in contents.items()}
        this = and_(*(column == row[column.name] for column in table.primary_key))
        await ctx.session.execute(update(table).where(this).values(cleaned))


def _cleaned(ctx: Context, content: Content, value: dict[str, Any], row: RowMapping) -> dict[str, Any]:
    match content:
        case Content.EVIDENCE:
            return {name: each for name, each in value.items() if name in _PROOF}
        case Content.EVENT:  # numbers and order_ids stay; words may name somebody
            return {name: each for name, each in value.items() if name == "order_id" or not isinstance(each, str)}
        case Content.PAPER:
            kept_until = ctx.shop.local(row["issued_at"]).year + PAPERS_KEPT_YEARS
            return _cleaned_paper(value, keep_name=ctx.shop.local(ctx.now).year <= kept_until)


def _cleaned_paper(facts: dict[str, Any], *, keep_name: bool) -> dict[str, Any]:
    """A paper's facts with only the personal data that the law requires."""
    gone: dict[str, object] = {"customer_phone": NOBODY, "customer_email": None, "plate": None}
    if not (keep_name and facts.get("tax_amount")):
        gone["address"] = None
    if not keep_name:
        gone["customer_name"] = NOBODY
    return facts | {name: value for name, value in gone.items() if name in facts}


def _exported(table: Table, row: RowMapping, addresses: Collection[tuple[str, str]]) -> dict[str, Any]:
    """A row for the person, without staff's addresses."""
    values = {name: _as_json(value) for name, value in row.items()}
    match table.name:
        case "outbox" if (row["channel"], row["address"]) not in addresses:
            return _without(values, _STAFFS_OWN)
        case "conversation":  # the addresses of the admins who took it over, or wrote
            return values | {"state": _without(row["state"], {"human", "writer"})}
        case "escalation":
            return _without(values, {"closed_by"})
    return values


def _without(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _as_json(value: object) -> object:
    """Dates and enums as text; the rest is JSON already."""
    return value if value is None or isinstance(value, bool | int | float | list | dict) else str(value)
