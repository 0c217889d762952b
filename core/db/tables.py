"""The mapped classes, with the constraints that the database enforces.

    catalogue   Part, Service, Car, Technician, Leave, Closure, CatalogueVersion
    people      Customer, Contact
    talk        Conversation, Inbound, Outbox, Escalation, Alarm
    questions   Faq, Unanswered
    bookings    Booking, BookingLine, BookingEvent, Waiting
    work        WorkNote, AdditionalCost, Rating
    money       PaymentRequest, PaymentAttempt, PaymentNotification, UnknownOrder, LedgerEntry, Refund
    papers      Invoice, CreditNote, Receipt, Counter
    REST        IdempotencyKey
    jobs        JobRun
    settings    ShopSetting

Text has no length in the database (SQLite wouldn't keep it); the edges bound and clean what comes in.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, relationship

from core.db.personal import (
    NAMES_PHOTOS,
    NOBODY,
    Content,
    Forget,
    Keep,
    Rows,
    erased_by,
    erased_to,
    forgotten,
    personal,
    refers_to,
)
from core.states import (
    BookingStatus,
    CallReason,
    CostState,
    EventKind,
    LedgerKind,
    Location,
    PaymentMethod,
    PaymentStatus,
    RefundReason,
    RefundState,
    RequestPurpose,
    RequestState,
    WaitState,
)

IDEMPOTENCY_KEPT = timedelta(days=1)


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC (SQLite drops offsets, so naive ones are refused here)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Word(TypeDecorator[StrEnum]):
    """A member of an enum in a column of plain text, which refuses any other word."""

    impl = Text
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.enum(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.enum(value)


def _partial(name: str, *columns: str, where: str) -> Index:
    """An index of only the rows for which `where` holds, on both databases."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class Base(DeclarativeBase):
    """A table is named after its class; every constraint has a name, so that migrations can refer to it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        str: Text(),
        # SQLite only counts up on its own in a column declared INTEGER.
        int: BigInteger().with_variant(Integer(), "sqlite"),
        datetime: Moment(),
        date: Date(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
        list[int]: JSON(),
        list[dict[str, Any]]: JSON(),
        StrEnum: Enum(
            StrEnum,
            native_enum=False,
            length=30,
            create_constraint=False,
            values_callable=lambda enum: [member.value for member in enum],
        ),
        CallReason: Word(CallReason),
        EventKind: Word(EventKind),
        LedgerKind: Word(LedgerKind),
        RefundReason: Word(RefundReason),
        RequestPurpose: Word(RequestPurpose),
    }

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


# --- catalogue ---------------------------------------------------------------------------------


class Part(Base):
    """Something for sale; `reserved` of the pieces `on_hand` are promised to bookings."""

    __table_args__ = (
        CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="stock"),
        CheckConstraint("price >= 0 AND discount BETWEEN 0 AND 100", name="price"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    category: Mapped[str]
    brand: Mapped[str]
    price: Mapped[int]
    discount: Mapped[int] = mapped_column(default=0)
    on_hand: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)
    low_stock_threshold: Mapped[int] = mapped_column(default=2)
    warranty_months: Mapped[int] = mapped_column(default=0)
    mount: Mapped[str | None]
    """The opening it goes into ("speaker-6.5", "dash-2din"), "universal", or unknown."""
    adapts_mount: Mapped[str | None]
    """An adapter: the mount it carries …"""
    adapts_into: Mapped[str | None]
    """… and the car's opening it goes into."""
    size: Mapped[str | None]
    """Inches: "6.5", "6x9"."""
    type: Mapped[str | None]
    """A `PartType`."""
    channels: Mapped[int | None]
    watts: Mapped[int | None]
    """RMS, of one channel."""
    description: Mapped[str] = mapped_column(default="")
    specifications: Mapped[dict[str, Any]] = mapped_column(default=dict)
    images: Mapped[list[str]] = mapped_column(default=list, info=NAMES_PHOTOS)
    """Keys of stored photos, or links."""
    compatible_vehicles: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """Cars it is known to fit beyond what its mount says: [{brand, model, year}], year as in api.md."""
    aliases: Mapped[list[str]] = mapped_column(default=list)
    is_available: Mapped[bool] = mapped_column(default=True)
    is_pre_order_only: Mapped[bool] = mapped_column(default=False)
    retired_at: Mapped[datetime | None]

    @property
    def stock(self) -> int:
        """What can still be promised: on hand less reserved."""
        return self.on_hand - self.reserved


class Service(Base):
    """Work the shop does, with its price and its length in minutes."""

    __table_args__ = (
        CheckConstraint("price >= 0 AND discount BETWEEN 0 AND 100", name="price"),
        CheckConstraint("minutes > 0", name="minutes"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    category: Mapped[str]
    price: Mapped[int]
    discount: Mapped[int] = mapped_column(default=0)
    minutes: Mapped[int]
    description: Mapped[str] = mapped_column(default="")
    included_items: Mapped[list[str]] = mapped_column(default=list)
    installs: Mapped[list[str]] = mapped_column(default=list)
    """The part categories it installs: offered first with such a part."""
    installs_types: Mapped[list[str]] = mapped_column(default=list)
    """The types of part of these categories that it is for (`PartType`); none: all that no other service names."""
    repairs: Mapped[list[str]] = mapped_column(default=list)
    """The part categories that it repairs, or finds the fault of."""
    skill: Mapped[str | None]
    """What a technician must be able to do, None: anyone."""
    onsite: Mapped[bool] = mapped_column(default=True)
    """Whether it can be done at the customer's."""
    aliases: Mapped[list[str]] = mapped_column(default=list)
    is_available: Mapped[bool] = mapped_column(default=True)
    retired_at: Mapped[datetime | None]


class Car(Base):
    """One generation of a car model and the openings it has for audio."""

    id: Mapped[str] = mapped_column(primary_key=True)
    brand: Mapped[str]
    model: Mapped[str]
    year_from: Mapped[int]
    year_to: Mapped[int | None]
    mounts: Mapped[list[str]] = mapped_column(default=list)
    aliases: Mapped[list[str]] = mapped_column(default=list)
    """What people call it in a chat."""


class Technician(Base):
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    skills: Mapped[list[str]] = mapped_column(default=list)
    phone: Mapped[str | None]
    email: Mapped[str | None]
    photo_url: Mapped[str | None] = mapped_column(info=NAMES_PHOTOS)
    """The key of a stored photo, or a link."""
    days_off: Mapped[list[int]] = mapped_column(default=list)
    """Weekdays, Monday is 0."""
    rating_sum: Mapped[int] = mapped_column(default=0)
    rating_count: Mapped[int] = mapped_column(default=0)
    total_jobs: Mapped[int] = mapped_column(default=0)
    aliases: Mapped[list[str]] = mapped_column(default=list)
    is_available: Mapped[bool] = mapped_column(default=True)
    retired_at: Mapped[datetime | None]


class Leave(Base):
    """A day, or a part of one, on which a technician doesn't work; the parts of a day don't touch."""

    __table_args__ = (Index("ix_leave_day", "day", "technician_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    technician_id: Mapped[str] = mapped_column(ForeignKey("technician.id"))
    day: Mapped[date]
    begins: Mapped[time | None]
    """In the shop's zone, None: from the day's beginning."""
    ends: Mapped[time | None]
    """None: until the day's end."""


class Closure(Base):
    """A day on which the shop is closed, with the reason that customers are told."""

    day: Mapped[date] = mapped_column(primary_key=True)
    reason: Mapped[str]


class CatalogueVersion(Base):
    """One row whose number grows with each change of the catalogue, so that caches know."""

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=0)


class StockAlert(Base):
    """A chat to notify once when a sold-out part is back in stock; deleted then."""

    __table_args__ = (
        UniqueConstraint("contact_id", "part_id"),
        Index("ix_stock_alert_part_id", "part_id"),
        Index("ix_stock_alert_created_at", "created_at"),
        personal(erase=Rows.DELETED, forget=Forget(("created_at",))),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    part_id: Mapped[str] = mapped_column(ForeignKey("part.id"))
    created_at: Mapped[datetime]


# --- people ------------------------------------------------------------------------------------


class Customer(Base):
    """A person; several contacts can lead to one."""

    __table_args__ = personal(erase=Rows.KEPT)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(info=erased_to(None))
    phone: Mapped[str | None] = mapped_column(index=True, info=erased_to(None))
    """E.164; proven by the channel when `phone_proven`."""
    phone_proven: Mapped[bool] = mapped_column(default=False, info=erased_to(False))
    email: Mapped[str | None] = mapped_column(info=erased_to(None))
    clerk_user: Mapped[str | None] = mapped_column(unique=True, info=erased_to(None))
    stopped_at: Mapped[datetime | None] = mapped_column(info=erased_to(None))
    """Since when they want no reminders, offers, stock alerts and requests for a rating ("STOP")."""
    created_at: Mapped[datetime] = mapped_column(index=True)


class Contact(Base):
    """One address on one channel; the address is opaque, even where it looks like a phone number."""

    __table_args__ = (UniqueConstraint("channel", "address"), personal(erase=Rows.DELETED))

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    address: Mapped[str]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    language: Mapped[str] = mapped_column(default="id")
    last_seen_at: Mapped[datetime | None]
    """When they last wrote: WhatsApp's 24 hours count from here."""
    unreachable_at: Mapped[datetime | None]
    """Since when the channel refuses to deliver (blocked)."""
    created_at: Mapped[datetime]

    # Loaded with its contact by every query: one that reads a booking again would leave the turn's own contact without.
    customer: Mapped[Customer] = relationship(lazy="joined")


# --- talk --------------------------------------------------------------------------------------


class Conversation(Base):
    """What a contact has answered so far; there is no step pointer."""

    __table_args__ = personal(erase=Rows.DELETED)

    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True)
    state: Mapped[dict[str, Any]] = mapped_column(default=dict, info=NAMES_PHOTOS)
    """`conversations.state.State` as JSON."""
    updated_at: Mapped[datetime] = mapped_column(index=True)


class Inbound(Base):
    """A message that came in, once; the primary key is the deduplication."""

    __table_args__ = (
        Index("ix_inbound_received_at", "received_at"),
        _partial("ix_inbound_failed", "received_at", where="error IS NOT NULL"),
        _partial("ix_inbound_held", "received_at", where="due_at IS NOT NULL"),
        # Erased messages stay as rows, since the vendor may deliver them again.
        personal(erase=Rows.KEPT, by_address=True, forget=Forget(("received_at",))),
    )

    channel: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(info=erased_to(NOBODY))
    received_at: Mapped[datetime]
    raw: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), info=erased_to(None))
    """The vendor's payload, kept only until the turn, and where it failed through a bug."""
    error: Mapped[str | None] = mapped_column(info=erased_to(None))
    due_at: Mapped[datetime | None] = mapped_column(info=erased_to(None))
    """When the turn is due; None once it is taken."""


class Outbox(Base):
    """One message to send; `key` is its business key, so that the same cause never sends twice."""

    __table_args__ = (
        _partial("ix_outbox_waiting", "channel", "address", "due_at", "id", where="state IN ('due', 'sending')"),
        _partial("ix_outbox_due", "channel", "due_at", where="state IN ('due', 'sending')"),
        _partial("ix_outbox_failed", "due_at", where="state = 'failed'"),
        Index("ix_outbox_booking_id", "booking_id"),
        _partial("ix_outbox_about", "about", where="about IS NOT NULL"),
        Index("ix_outbox_created_at", "created_at"),
        Index("ix_outbox_vendor_id", "vendor_id"),
        personal(
            erase=Rows.DELETED,
            by_address=True,
            forget=Forget(("created_at", "due_at"), where="state IN ('sent', 'failed', 'dropped')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]
    """telegram, whatsapp or email."""
    address: Mapped[str]
    language: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(info=NAMES_PHOTOS)
    """A `core.messaging.messages.Message` as JSON."""
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    about: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    """The customer's contact in a message to staff or of a takeover; None where `booking_id` says it."""
    kind: Mapped[str] = mapped_column(default="reply")
    """reply, reminder, notice, staff or takeover: decides what is dropped with a booking, and WhatsApp's template."""
    state: Mapped[str] = mapped_column(default="due")
    """due -> sending -> sent; failed (given up) or dropped (no longer wanted)."""
    due_at: Mapped[datetime]
    """When to send it; the order within a chat is (due_at, id)."""
    not_before: Mapped[datetime]
    """Backoff, and the end of the lease while `sending`."""
    until: Mapped[datetime | None]
    """Not sent after this (a reminder of what has begun); None: two days after `due_at`."""
    by_day: Mapped[bool] = mapped_column(default=False)
    """Sent within the contact hours only, however late it is: nobody waits for it."""
    attempts: Mapped[int] = mapped_column(default=0)
    unclear: Mapped[int] = mapped_column(default=0)
    """How many tries may or may not have been sent: such a message is sent again once at most."""
    shown: Mapped[bool] = mapped_column(default=False)
    """While `sending`: whether the vendor may have seen this try; before that a crash leaves nothing unclear."""
    parts_left: Mapped[int | None]
    """How many parts, counted from the end, the vendor hasn't taken yet; None: all of them."""
    vendor_id: Mapped[str | None]
    delivery: Mapped[str | None]
    """The furthest delivery state the vendor reported."""
    error: Mapped[str | None]
    trace: Mapped[str | None]
    """The id of what caused it (`core.trace`), under which its sending is logged."""
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Escalation(Base):
    """A customer waiting for a person, until an admin takes over, replies or marks it done."""

    __table_args__ = (
        # A chat has one open escalation.
        Index(
            "uq_escalation_open", "contact_id", unique=True,
            sqlite_where=text("closed_at IS NULL"), postgresql_where=text("closed_at IS NULL"),
        ),
        # So that a customer's rows, closed ones too, are found when the chat is erased or forgotten.
        Index("ix_escalation_contact_id", "contact_id"),
        _partial("ix_escalation_renew_at", "renew_at", where="closed_at IS NULL"),
        _partial("ix_escalation_closed_at", "closed_at", where="closed_at IS NOT NULL"),
        personal(erase=Rows.DELETED, forget=Forget(("closed_at",), where="closed_at IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    reason: Mapped[CallReason]
    """The newest need."""
    reasons: Mapped[list[str]] = mapped_column(default=list)
    """All needs so far: each sends the card at once, and only once."""
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    about: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What else the admins must know: a `Say` as JSON."""
    media: Mapped[list[str]] = mapped_column(default=list, info=NAMES_PHOTOS)
    """Keys of the photos and files that the admins have got."""
    since: Mapped[datetime]
    cards: Mapped[int] = mapped_column(default=0)
    """How often the admins got the card."""
    renew_at: Mapped[datetime]
    """When they get it again."""
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    """The staff member who took over, replied or marked it done."""


class Faq(Base):
    """A question that customers ask, and the owner's answer to it."""

    id: Mapped[str] = mapped_column(primary_key=True)
    question: Mapped[str]
    spellings: Mapped[list[str]] = mapped_column(default=list)
    """Other ways to ask it."""
    answer: Mapped[str]
    answer_en: Mapped[str | None]
    """For customers who write English; None: they get `answer`."""
    changed_at: Mapped[datetime]


class Unanswered(Base):
    """A question of a customer that nobody could answer, until an admin does."""

    __table_args__ = (
        UniqueConstraint("contact_id", "topic"),
        Index("ix_unanswered_topic", "topic"),
        Index("ix_unanswered_asked_at", "asked_at"),
        personal(erase=Rows.DELETED, forget=Forget(("asked_at",))),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    topic: Mapped[str]
    """Its words that count, sorted: the same for all who ask the same."""
    text: Mapped[str]
    """As the customer asked it last."""
    count: Mapped[int] = mapped_column(default=1)
    asked_at: Mapped[datetime]
    """When it was asked last."""


class Alarm(Base):
    """Trouble that the admins were told of; deleted when it is over."""

    name: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    """When the oldest row in trouble began to wait."""


class Secret(Base):
    """A secret made at the first start, to sign file links."""

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


# --- bookings ----------------------------------------------------------------------------------


class Booking(Base):
    """A job on a car at a time, with prices frozen when it was made."""

    __table_args__ = (
        Index("ix_booking_customer", "customer_id", "created_at"),
        _partial("ix_booking_contact_id", "contact_id", where="contact_id IS NOT NULL"),
        Index("ix_booking_starts_at", "starts_at"),
        # The last columns are included so that lists are counted from the index alone.
        Index("ix_booking_status", "status", "starts_at", "payment_status"),
        Index("ix_booking_payment_status", "payment_status", "starts_at"),
        Index("ix_booking_technician", "technician_id", "starts_at", "status", "payment_status"),
        _partial("ix_booking_hold_until", "hold_until", where="hold_until IS NOT NULL"),
        _partial("ix_booking_impossible_since", "impossible_since", where="impossible_since IS NOT NULL"),
        _partial(
            "ix_booking_without_place",
            "status",  # the same for all rows; without it SQLite prefers the index of all pending bookings
            "paid_at",
            where="status = 'pending' AND paid_amount > 0 AND NOT holding",
        ),
        CheckConstraint("total_price >= 0 AND paid_amount >= 0", name="money"),
        personal(erase=Rows.KEPT),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    """What people read: BK-7F3K2Q."""
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), info=erased_to(None))
    """The chat it was made in, which gets its notices; None: made on the web, no chat known."""
    language: Mapped[str] = mapped_column(default="id")
    name: Mapped[str] = mapped_column(info=erased_to(NOBODY))
    phone: Mapped[str] = mapped_column(info=erased_to(NOBODY))
    """Empty for somebody who walked in."""
    email: Mapped[str | None] = mapped_column(info=erased_to(None))
    car_brand: Mapped[str]
    car_model: Mapped[str]
    car_year: Mapped[int]
    plate: Mapped[str | None] = mapped_column(info=erased_to(None))
    location: Mapped[Location] = mapped_column(default=Location.WORKSHOP)
    address: Mapped[str | None] = mapped_column(info=erased_to(None))
    latitude: Mapped[float | None] = mapped_column(info=erased_to(None))
    longitude: Mapped[float | None] = mapped_column(info=erased_to(None))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    """Shop and technician are taken from start to end, whatever the shop's slots are by now."""
    minutes: Mapped[int]
    """How long shop and technician are busy, travel included."""
    technician_id: Mapped[str | None] = mapped_column(ForeignKey("technician.id"))
    status: Mapped[BookingStatus] = mapped_column(default=BookingStatus.PENDING)
    payment_status: Mapped[PaymentStatus] = mapped_column(default=PaymentStatus.PENDING)
    payment_method: Mapped[PaymentMethod]
    down_payment_percent: Mapped[int | None]
    """None: paid in full."""
    subtotal_parts: Mapped[int] = mapped_column(default=0)
    subtotal_services: Mapped[int] = mapped_column(default=0)
    onsite_fee: Mapped[int] = mapped_column(default=0)
    additional_costs: Mapped[int] = mapped_column(default=0)
    tax_base: Mapped[int] = mapped_column(default=0)
    """DPP: 11/12 of the price while PPN is charged, else 0."""
    tax_amount: Mapped[int] = mapped_column(default=0)
    total_price: Mapped[int]
    paid_amount: Mapped[int] = mapped_column(default=0)
    """Sum of the ledger's entries; only `core.payment` writes it, together with an entry."""
    going_back: Mapped[int] = mapped_column(default=0)
    """The part of it that is owed back but not refunded yet; only `core.payment` writes it."""
    waived: Mapped[int] = mapped_column(default=0)
    """What was refunded after it was completed, and so isn't owed any more; only `core.payment` writes it."""
    hold_until: Mapped[datetime | None]
    """Until when time, technician and parts are held without money; None: for good, or released."""
    holding: Mapped[bool] = mapped_column(default=True)
    """Whether it has its time, technician and reserved parts now. After `hold_until` another booking may take them."""
    impossible_since: Mapped[datetime | None]
    """Since when it is known that it can't be done as booked (`obstacles`); None: it can."""
    kept_despite: Mapped[str | None]
    """The codes of the obstacles, with spaces between them, in spite of which staff will do it."""
    created_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancellation_reason: Mapped[str | None] = mapped_column(info=erased_to(None))
    no_show_at: Mapped[datetime | None]
    """When staff recorded a no-show; the booking is cancelled then."""
    moves: Mapped[int] = mapped_column(default=0)
    """How often the customer moved it."""
    warranty_until: Mapped[date | None]

    lines: Mapped[list["BookingLine"]] = relationship(
        lazy="raise", order_by="BookingLine.id", cascade="all, delete-orphan"
    )
    technician: Mapped[Technician | None] = relationship(lazy="raise")
    contact: Mapped[Contact | None] = relationship(lazy="raise")

    @property
    def remaining(self) -> int:
        """What can still be paid, in rupiah; nothing once it is cancelled."""
        if self.status is BookingStatus.CANCELLED:
            return 0
        return max(0, self.total_price - self.waived - self.paid_amount + self.going_back)

    @property
    def left_to_pay(self) -> int:
        """`remaining` as it is shown and asked for: nothing where all of the money was refunded."""
        return 0 if self.payment_status is PaymentStatus.REFUNDED else self.remaining


class BookingLine(Base):
    """One part, service or fee of a booking at its frozen price."""

    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"), personal(erase=Rows.KEPT))

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), index=True)
    part_id: Mapped[str | None] = mapped_column(ForeignKey("part.id"))
    service_id: Mapped[str | None] = mapped_column(ForeignKey("service.id"))
    """Both None: an agreed additional cost (the on-site fee is the booking's own column)."""
    name: Mapped[str]
    quantity: Mapped[int] = mapped_column(default=1)
    price: Mapped[int]
    """List price of one."""
    discount: Mapped[int] = mapped_column(default=0)
    total: Mapped[int]
    """quantity x discounted price."""
    minutes: Mapped[int] = mapped_column(default=0)
    warranty_months: Mapped[int] = mapped_column(default=0)
    warranty_until: Mapped[date | None]


class BookingEvent(Base):
    """An entry of a booking's history."""

    __table_args__ = personal(erase=Rows.KEPT)

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), index=True)
    at: Mapped[datetime]
    kind: Mapped[EventKind]
    actor: Mapped[str]
    """An `Actor`, or a staff member's name."""
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict, info=erased_by(Content.EVENT))


class Waiting(Base):
    """An entry of the waitlist: a whole order that waits for a slot, technician or part."""

    __table_args__ = (
        _partial("ix_waiting_slot", "starts_at", "id", where="state = 'waiting'"),
        _partial("ix_waiting_offered_until", "offered_until", where="state = 'offered'"),
        _partial("ix_waiting_contact_id", "contact_id", where="contact_id IS NOT NULL"),
        _partial("ix_waiting_past", "starts_at", where="state IN ('taken', 'ended')"),
        Index("ix_waiting_customer", "customer_id", "created_at"),
        personal(
            erase=Rows.DELETED, forget=Forget(("starts_at",), where="state IN ('taken', 'ended')", keep=Keep.RECORDS)
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_code: Mapped[str] = mapped_column(unique=True)
    """The code of the booking that it is offered."""
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    language: Mapped[str] = mapped_column(default="id")
    starts_at: Mapped[datetime]
    """The wanted start; the entry ends then."""
    order: Mapped[dict[str, Any]]
    """An `Order` as JSON, and the `total` it would have cost when it joined."""
    state: Mapped[WaitState] = mapped_column(default=WaitState.WAITING)
    created_at: Mapped[datetime]
    offered_until: Mapped[datetime | None]


# --- work --------------------------------------------------------------------------------------


class WorkNote(Base):
    """What a technician tells the customer about the car."""

    __table_args__ = personal(erase=Rows.KEPT)

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), index=True)
    at: Mapped[datetime]
    author: Mapped[str]
    text: Mapped[str] = mapped_column(info=erased_to(""))
    photos: Mapped[list[str]] = mapped_column(default=list, info=erased_to([]) | NAMES_PHOTOS)
    """Keys of stored photos, or https links given over REST (`media`)."""


class AdditionalCost(Base):
    """A cost beyond the booking; once agreed it is one of the booking's lines."""

    __table_args__ = (CheckConstraint("amount > 0", name="amount"), personal(erase=Rows.KEPT))

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), index=True)
    description: Mapped[str]
    amount: Mapped[int]
    """Rupiah, before PPN where it is charged."""
    photo: Mapped[str | None] = mapped_column(info=erased_to(None) | NAMES_PHOTOS)
    state: Mapped[CostState] = mapped_column(default=CostState.PROPOSED)
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class Rating(Base):
    """A customer's rating of a completed job; the primary key allows one."""

    __table_args__ = (CheckConstraint("stars BETWEEN 1 AND 5", name="stars"), personal(erase=Rows.KEPT))

    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), primary_key=True)
    technician_id: Mapped[str | None] = mapped_column(ForeignKey("technician.id"))
    stars: Mapped[int]
    comment: Mapped[str | None] = mapped_column(info=erased_to(None))
    at: Mapped[datetime]


# --- money -------------------------------------------------------------------------------------


class PaymentRequest(Base):
    """One request for money: one Midtrans order_id, with any number of attempts."""

    __table_args__ = (
        Index("ix_payment_request_booking_id", "booking_id"),
        Index("ix_payment_request_created_at", "created_at"),
        _partial("ix_payment_request_due_at", "due_at", where="due_at IS NOT NULL"),
        personal(erase=Rows.KEPT),
    )

    order_id: Mapped[str] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    purpose: Mapped[RequestPurpose]
    amount: Mapped[int]
    channels: Mapped[list[str]]
    """Midtrans' enabled_payments."""
    state: Mapped[RequestState] = mapped_column(default=RequestState.WANTED)
    token: Mapped[str | None] = mapped_column(info=erased_to(None))
    url: Mapped[str | None] = mapped_column(info=erased_to(None))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    """When a worker makes the link, or closes it after a last status call; None: nothing to do."""
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    """Why it will be retried; None also during a retry."""


class PaymentAttempt(Base):
    """One attempt to pay a request (a transaction_id at Midtrans), by its last confirmed status."""

    __table_args__ = personal(erase=Rows.KEPT)

    transaction_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("payment_request.order_id"), index=True)
    status: Mapped[str]
    """As Midtrans calls it."""
    method: Mapped[str]
    amount: Mapped[int | None]
    """Without the fee."""
    fee: Mapped[int] = mapped_column(default=0)
    """What the customer paid Midtrans beyond `amount`: no money of the shop's."""
    first_seen_at: Mapped[datetime] = mapped_column(index=True)
    changed_at: Mapped[datetime]
    answer: Mapped[dict[str, Any]] = mapped_column(info=erased_by(Content.EVIDENCE))
    """The last status answer."""


class PaymentNotification(Base):
    """A verified notification, stored once, acted on after a status call."""

    __table_args__ = (
        UniqueConstraint("order_id", "digest"),
        _partial("ix_payment_notification_due_at", "due_at", where="due_at IS NOT NULL"),
        _partial("ix_payment_notification_settled", "received_at", where="due_at IS NULL"),
        # What Midtrans last said stays with the attempt, or with the unknown order; that until it is explained.
        personal(
            erase=Rows.KEPT,
            forget=Forget(
                ("received_at",),
                where="due_at IS NULL AND NOT EXISTS (SELECT 1 FROM unknown_order"
                " WHERE unknown_order.order_id = payment_notification.order_id AND explanation IS NULL)",
                keep=Keep.RECORDS,
            ),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(info=refers_to("payment_request.order_id"))
    digest: Mapped[str]
    """SHA-256 of the body: a repeated notification is the same one."""
    body: Mapped[dict[str, Any]] = mapped_column(info=erased_by(Content.EVIDENCE))
    received_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    """When to ask Midtrans for the status; None: done."""
    attempts: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str | None]
    """The `Outcome` of each attempt that was settled, joined by "; "."""


class UnknownOrder(Base):
    """Money at Midtrans for an order_id that we have no request for (a restored backup), until staff say what it was."""

    __table_args__ = (
        _partial("ix_unknown_order_found_at", "found_at", where="explanation IS NULL"),
        _partial("ix_unknown_order_explained_at", "explained_at", where="explanation IS NOT NULL"),
        # As long as the books, of which its explanation is a part (UU KUP 28(11)).
        forgotten(Forget(("explained_at",), where="explanation IS NOT NULL", after=timedelta(days=3653))),
    )

    order_id: Mapped[str] = mapped_column(primary_key=True)
    transaction_id: Mapped[str]
    status: Mapped[str]
    """As Midtrans calls it."""
    amount: Mapped[int | None]
    """None: not a whole number of rupiah."""
    answer: Mapped[dict[str, Any]]
    """The status answer; the notification, where Midtrans doesn't know the transaction."""
    found_at: Mapped[datetime]
    explanation: Mapped[str | None]
    explained_at: Mapped[datetime | None]


class LedgerEntry(Base):
    """Money that moved, with its evidence; written once: a trigger refuses to delete it, or to change more than evidence."""

    # The index includes the amount, so that revenue is summed from the index alone.
    __table_args__ = (
        UniqueConstraint("order_id", "kind", "reference"),
        Index("ix_ledger_entry_at", "at", "amount"),
        personal(erase=Rows.KEPT),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), index=True)
    order_id: Mapped[str | None]
    transaction_id: Mapped[str | None]
    """The attempt it belongs to; None: cash."""
    kind: Mapped[LedgerKind]
    reference: Mapped[str]
    """Makes an entry unique in its kind: the transaction_id, the refund_key, or a number for cash."""
    amount: Mapped[int]
    """Rupiah; negative when money leaves."""
    method: Mapped[str]
    at: Mapped[datetime]
    evidence: Mapped[dict[str, Any]] = mapped_column(info=erased_by(Content.EVIDENCE))


class Refund(Base):
    """Money owed back to a customer; it enters the ledger when it was sent (`refunds`)."""

    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        _partial("ix_refund_open", "asked_at", where="state <> 'done'"),
        _partial("ix_refund_due_at", "due_at", where="due_at IS NOT NULL"),
        personal(erase=Rows.KEPT),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    """Midtrans' refund_key: a repeated request under it refunds once."""
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), index=True)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("payment_request.order_id"))
    """The request that was paid; None: cash."""
    transaction_id: Mapped[str | None]
    """The attempt that paid it."""
    amount: Mapped[int]
    reason: Mapped[RefundReason]
    state: Mapped[RefundState] = mapped_column(default=RefundState.WANTED)
    bank_account: Mapped[str | None] = mapped_column(info=erased_to(None))
    """For a transfer by hand: bank, number and holder in the customer's words."""
    asked_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None]
    """`Actor.MIDTRANS`, or the staff member who transferred it."""
    due_at: Mapped[datetime | None]
    """When a worker must ask Midtrans; None: nothing to ask."""
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]


class _Paper:
    """A paper as it was issued: its facts are frozen, and the PDF is made from them."""

    __table_args__ = personal(erase=Rows.KEPT)

    number: Mapped[str] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), index=True)
    issued_at: Mapped[datetime]
    facts: Mapped[dict[str, Any]] = mapped_column(info=erased_by(Content.PAPER))


class Invoice(_Paper, Base):
    """A booking's first one, or one that bills later costs."""


class CreditNote(_Paper, Base):
    """What is taken off issued invoices, which never change."""


class Receipt(_Paper, Base):
    """The receipt (kwitansi) of one payment."""

    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entry.id"), unique=True)


class IdempotencyKey(Base):
    """A REST request that may be repeated, with its first answer (`idempotency`)."""

    __table_args__ = personal(erase=Rows.DELETED, forget=Forget(("created_at",), after=IDEMPOTENCY_KEPT))

    owner: Mapped[str] = mapped_column(primary_key=True, info=refers_to("customer.clerk_user"))
    """The Clerk user."""
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    """SHA-256 of method, path and body."""
    answer: Mapped[dict[str, Any]]
    """Status and body; empty while there is none."""
    created_at: Mapped[datetime] = mapped_column(index=True)


class ShopSetting(Base):
    """A setting of `core.shop.Shop` that an admin changed; the others are config.yaml's (`shop_settings`)."""

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSON())


class Counter(Base):
    """A number that only grows by one (invoice numbers of a year, without gaps)."""

    name: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


class JobRun(Base):
    """A job that runs once per key (a day) across all processes; the primary key makes it once."""

    __table_args__ = (
        Index("ix_job_run_started_at", "started_at"),
        forgotten(Forget(("started_at",), where="finished_at IS NOT NULL", keep=Keep.RECORDS)),
    )

    name: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
