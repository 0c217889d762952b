"""What is kept about a person: all of it shown, or all of it erased that no law makes the shop keep.

    find ──> Customer ── export ──> every row that leads to them, as JSON
                      └─ erase ───> names, numbers, addresses, plates, messages, photos go;
                                    bookings, money and papers stay, without a person

Rows are found by what they refer to, so a table that is added later is in the export by itself. What staff were shown
(a job, a day's list) refers to nobody and may tell of several people: it is found by its words, erased, not exported.

Law: papers are kept for ten years after the year they were issued in (UU KUP art. 28 (11)), with the buyer's name, and
where PPN was charged with the address too (UU PPN art. 13 (5)); such a duty goes before the right to be forgotten
(UU PDP art. 43 and 44). Once the ten years are over, erasing again takes the name off them as well.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, Text, and_, cast, delete, false, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core import media
from core.context import Context
from core.db.tables import (
    AdditionalCost,
    Base,
    Booking,
    BookingEvent,
    Contact,
    Conversation,
    CreditNote,
    Customer,
    IdempotencyKey,
    Inbound,
    Invoice,
    LedgerEntry,
    Outbox,
    PaymentAttempt,
    PaymentNotification,
    PaymentRequest,
    Rating,
    Receipt,
    Refund,
    Waiting,
    WorkNote,
)
from core.refusals import NotFound
from core.shop import Shop
from core.states import BookingStatus, RefundState, WaitState

PAPERS_KEPT_YEARS = 10
NOBODY = "-"
"""Stands where a column can't be empty."""

_NOT_TOLD = {"seat", "technician_cell"}
"""Says nothing that the booking doesn't."""
_WHERE_IT_WENT = {"key", "address", "vendor_id", "error"}
"""Of a message to somebody else: where staff can be reached is told to nobody."""
_WHO_ANSWERS = {"human"}
"""Of what a chat remembers: the address of the admin who took it over."""
Paper = type[Invoice] | type[CreditNote] | type[Receipt]
_PAPERS: tuple[Paper, ...] = (Invoice, CreditNote, Receipt)
_OF_EVIDENCE = {
    "order_id", "transaction_id", "transaction_status", "status_code", "gross_amount", "currency", "payment_type",
    "fraud_status", "transaction_time", "settlement_time", "refund_key", "refund_amount", "taken_by", "transferred_by",
    "notifications", "duplicate_refund_key",
}  # fmt: skip
"""What proves a payment and names nobody but staff; cards, accounts and customers' details go."""
_ERASED: Mapping[type[Base], Mapping[str, object]] = {
    Booking: {
        "name": NOBODY,
        "phone": NOBODY,
        "contact_id": None,
        **dict.fromkeys(("email", "plate", "address", "latitude", "longitude", "cancellation_reason")),
    },
    WorkNote: {"text": "", "photos": []},
    AdditionalCost: {"photo": None},
    Rating: {"comment": None},
    Refund: {"bank_account": None},
    PaymentRequest: {"token": None, "url": None},
}


class StillNeeded(Exception):
    """Why a person can't be erased yet: bookings that are alive, money owed to them, a place in the waiting list."""

    def __init__(self, codes: Iterable[str]) -> None:
        self.codes = sorted(codes)
        super().__init__(", ".join(self.codes))


class Ambiguous(Exception):
    """Several people are known by a number; the code of a booking tells which one is meant."""


async def find(session: AsyncSession, *, phone: str | None = None, code: str | None = None) -> Customer:
    """A person by their number in E.164 or by a booking's code; raises `NotFound` and `Ambiguous`."""
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
    """Every row that is about a person, by table, as JSON values."""
    person = await _person(session, customer)
    told = {}
    for table in Base.metadata.sorted_tables:
        theirs = _theirs(table, person)
        if theirs is None or table.name in _NOT_TOLD:
            continue
        rows = (await session.execute(select(table).where(theirs).order_by(*table.primary_key))).mappings().all()
        if rows:
            told[table.name] = [_told(table, row, person) for row in rows]
    return told


async def erase(ctx: Context, customer: Customer) -> list[str]:
    """Forget a person; the keys of stored photos that are nobody's now. Raises `StillNeeded`."""
    person = await _person(ctx.session, customer)
    await _check_over(ctx.session, person)
    photos = await _photos(ctx.session, person)
    for table, values in _ERASED.items():
        await ctx.session.execute(update(table).where(_of(table, person)).values(values))
    await _strip(ctx.session, BookingEvent, "detail", person, _without_words)
    for kept, column in ((LedgerEntry, "evidence"), (PaymentNotification, "body"), (PaymentAttempt, "answer")):
        await _strip(ctx.session, kept, column, person, _bare_evidence)
    for paper in _PAPERS:
        await _strip_papers(ctx.session, paper, person, this_year=ctx.shop.local(ctx.now).year, shop=ctx.shop)
    await ctx.session.execute(
        update(Inbound).where(_of(Inbound, person)).values(address=NOBODY, raw=None, error=None)
    )  # the row stays: the vendor may deliver that message once more
    await ctx.session.execute(delete(Outbox).where(await _mentions(ctx.session, person, ctx.shop)))
    for gone in (Outbox, Waiting, IdempotencyKey, Conversation, Contact):
        await ctx.session.execute(delete(gone).where(_of(gone, person)))
    nobody = dict.fromkeys(("name", "phone", "email", "clerk_user")) | {"phone_proven": False}
    await ctx.session.execute(update(Customer).where(Customer.id == customer.id).values(nobody))
    return photos


@dataclass(frozen=True, slots=True)
class _Person:
    """What leads to a person's rows."""

    customer: Customer
    contacts: Sequence[Contact]
    bookings: Sequence[Booking]
    orders: Sequence[str]

    @property
    def chats(self) -> list[tuple[str, str]]:
        """Where they write from: (channel, address) pairs."""
        return [(contact.channel, contact.address) for contact in self.contacts]

    @property
    def mailboxes(self) -> list[tuple[str, str]]:
        """Where they get e-mail, as pairs like those of chats."""
        mails = {booking.email for booking in self.bookings} | {self.customer.email}
        return [("email", mail) for mail in mails if mail]


async def _person(session: AsyncSession, customer: Customer) -> _Person:
    contacts = (await session.scalars(select(Contact).where(Contact.customer_id == customer.id))).all()
    bookings = (await session.scalars(select(Booking).where(Booking.customer_id == customer.id))).all()
    ids = [booking.id for booking in bookings]
    orders = await session.scalars(select(PaymentRequest.order_id).where(PaymentRequest.booking_id.in_(ids)))
    return _Person(customer, contacts, bookings, orders.all())


def _of(table: type[Base], person: _Person) -> ColumnElement[bool]:
    theirs = _theirs(Base.metadata.tables[table.__tablename__], person)
    if theirs is None:
        raise TypeError(f"{table.__name__} leads to nobody")
    return theirs


def _theirs(table: Table, person: _Person) -> ColumnElement[bool] | None:
    """Which rows of a table are about a person; None for a table that is about nobody."""
    ids: Mapping[str, Sequence[object]] = {
        "customer": [person.customer.id],
        "contact": [contact.id for contact in person.contacts],
        "booking": [booking.id for booking in person.bookings],
        "payment_request": person.orders,
    }
    ways: list[ColumnElement[bool]] = [
        key.parent.in_(ids[key.column.table.name]) for key in table.foreign_keys if key.column.table.name in ids
    ]
    match table.name:
        case "customer":
            ways = [table.c.id == person.customer.id]
        case "inbound":
            ways = [tuple_(table.c.channel, table.c.address).in_(person.chats)]
        case "outbox":
            ways.append(tuple_(table.c.channel, table.c.address).in_([*person.chats, *person.mailboxes]))
        case "payment_notification":
            ways = [table.c.order_id.in_(person.orders)]
        case "idempotency_key":
            ways = [and_(table.c.owner == person.customer.clerk_user, table.c.owner.is_not(None))]
    return or_(*ways) if ways else None


async def _check_over(session: AsyncSession, person: _Person) -> None:
    """Nothing is expected of the shop any more; what it looks at stays as it is until the transaction ends."""
    ended = (BookingStatus.COMPLETED, BookingStatus.CANCELLED)
    mine = select(Booking).where(Booking.customer_id == person.customer.id).order_by(Booking.id)
    locked = (await session.scalars(mine.with_for_update(key_share=True))).all()
    alive = {booking.code for booking in locked if booking.status not in ended}
    owed = select(Booking.code).join(Refund, Refund.booking_id == Booking.id)
    alive |= set(await session.scalars(owed.where(_of(Refund, person), Refund.state != RefundState.DONE)))
    waiting = select(Waiting.booking_code).where(
        _of(Waiting, person), Waiting.state.in_((WaitState.WAITING, WaitState.OFFERED))
    )
    alive |= set(await session.scalars(waiting))
    if alive:
        raise StillNeeded(alive)


async def _photos(session: AsyncSession, person: _Person) -> list[str]:
    noted = await session.scalars(select(WorkNote.photos).where(_of(WorkNote, person)))
    costs = await session.scalars(select(AdditionalCost.photo).where(_of(AdditionalCost, person)))
    bodies = await session.scalars(select(Outbox.body).where(_of(Outbox, person)))
    sent = [body["document"]["id"] for body in bodies if "document" in body]
    named = [photo for photos in noted for photo in photos] + [photo for photo in costs if photo] + sent
    return [photo for photo in dict.fromkeys(named) if media.is_key(photo)]


async def _mentions(session: AsyncSession, person: _Person, shop: Shop) -> ColumnElement[bool]:
    """Messages that a person can be read in although they lead to nobody: by a booking's code, or what staff were shown."""
    waits = await session.scalars(select(Waiting.booking_code).where(_of(Waiting, person)))
    codes = [*(booking.code for booking in person.bookings), *waits]
    words = [json.dumps(word) for word in _names(person)]  # whole values of a message, as its column writes them
    staffs = [address for member in shop.staff for address in member.addresses]
    heard, chat, body = aliased(Outbox), tuple_(Outbox.channel, Outbox.address), cast(Outbox.body, Text)
    had_been_staff = select(heard.channel, heard.address).where(heard.kind == "staff")
    return or_(
        false(),
        *(body.contains(code, autoescape=True) for code in codes),
        and_(
            Outbox.kind == "reply",
            chat.in_(staffs) | chat.in_(had_been_staff),
            or_(false(), *(body.contains(word, autoescape=True) for word in words)),
        ),
    )


def _names(person: _Person) -> set[str]:
    """All that a person is called by."""
    customer, bookings, contacts = person.customer, person.bookings, person.contacts
    called = {customer.name, customer.phone, customer.email}
    called |= {name for booking in bookings for name in (booking.name, booking.phone, booking.email)}
    called |= {name for contact in contacts for name in (contact.address, contact.address.removeprefix("whatsapp:"))}
    return {name for name in called if name and name != NOBODY}


async def _strip(
    session: AsyncSession,
    table: type[Base],
    column: str,
    person: _Person,
    stripped: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    for row in await session.scalars(select(table).where(_of(table, person))):
        setattr(row, column, stripped(getattr(row, column)))
    await session.flush()


async def _strip_papers(session: AsyncSession, paper: Paper, person: _Person, *, this_year: int, shop: Shop) -> None:
    issued = await session.execute(select(paper.number, paper.issued_at, paper.facts).where(_of(paper, person)))
    for number, issued_at, facts in issued.all():
        bare = _bare_paper(facts, keep_name=this_year <= shop.local(issued_at).year + PAPERS_KEPT_YEARS)
        await session.execute(update(paper).where(paper.number == number).values(facts=bare))


def _bare_paper(facts: dict[str, Any], *, keep_name: bool) -> dict[str, Any]:
    """A paper's facts with no more of a person in them than the law wants kept."""
    gone: dict[str, object] = {"customer_phone": NOBODY, "customer_email": None, "plate": None}
    if not (keep_name and facts.get("tax_amount")):
        gone["address"] = None
    if not keep_name:
        gone["customer_name"] = NOBODY
    return facts | {name: value for name, value in gone.items() if name in facts}


def _bare_evidence(evidence: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in evidence.items() if name in _OF_EVIDENCE}


def _without_words(detail: dict[str, Any]) -> dict[str, Any]:
    """Numbers and order_ids; whatever was written in words may name somebody."""
    return {name: value for name, value in detail.items() if name == "order_id" or not isinstance(value, str)}


def _told(table: Table, row: RowMapping, person: _Person) -> dict[str, Any]:
    """A row as it is shown to the person, without what is staff's own."""
    told = {name: _as_json(value) for name, value in row.items()}
    match table.name:
        case "outbox" if (row["channel"], row["address"]) not in (*person.chats, *person.mailboxes):
            return _without(told, _WHERE_IT_WENT)
        case "conversation":
            return told | {"state": _without(row["state"], _WHO_ANSWERS)}
    return told


def _without(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _as_json(value: object) -> object:
    """Dates and enums in words; the rest is JSON already."""
    return value if value is None or isinstance(value, bool | int | float | list | dict) else str(value)
