"""The whole schema, and the triggers that keep the ledger and the papers as they were written

A frozen description: it doesn't use `core.db.tables`, which later migrations change. Databases made by the former
migrations '0001' to '0015' have the same schema (`core.db.database.upgrade`), but for one name: their foreign key of
outbox.about is outbox_about_fkey on PostgreSQL and has no name on SQLite.
"""

from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "schema_1"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Columns = list[sa.Column[Any]]


def _columns(kind: Any, *names: str, key: bool = False, null: bool = False, **more: Any) -> Columns:
    return [sa.Column(name, kind, primary_key=key, nullable=null, **more) for name in names]


# SQLite only counts up on its own in a column declared INTEGER.
_whole = partial(_columns, sa.BigInteger().with_variant(sa.Integer(), "sqlite"))
_text = partial(_columns, sa.Text())
_word = partial(_columns, sa.String(30))
"""A member of one of the enums in `core.states`."""
_flag = partial(_columns, sa.Boolean())
_float = partial(_columns, sa.Double())
_json = partial(_columns, sa.JSON())
_day = partial(_columns, sa.Date())
_moment = partial(_columns, sa.DateTime(timezone=True))


def _refers(name: str, to: str, *, key: bool = False, null: bool = False, **more: Any) -> Columns:
    """A foreign key; the column takes the type of what it refers to."""
    return [sa.Column(name, sa.ForeignKey(to), primary_key=key, nullable=null, **more)]


def _partial(name: str, *columns: str, where: str) -> sa.Index:
    return sa.Index(name, *columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _table(name: str, *parts: Columns | SchemaItem) -> None:
    items: list[SchemaItem] = []
    for part in parts:
        items.extend(part if isinstance(part, list) else [part])
    sa.Table(name, SCHEMA, *items)


# --- catalogue ---------------------------------------------------------------------------------

_table(
    "part",
    _text("id", key=True),
    _text("name", "category", "brand"),
    _whole("price", "discount", "on_hand", "reserved", "low_stock_threshold", "warranty_months"),
    _text("mount", "adapts_mount", "adapts_into", null=True),
    _text("description"),
    _json("specifications", "images", "compatible_vehicles", "aliases"),
    _flag("is_available", "is_pre_order_only"),
    _moment("retired_at", null=True),
    sa.CheckConstraint("reserved >= 0 AND reserved <= on_hand", "stock"),
    sa.CheckConstraint("price >= 0 AND discount BETWEEN 0 AND 100", "price"),
)
_table(
    "service",
    _text("id", key=True),
    _text("name", "category"),
    _whole("price", "discount", "minutes"),
    _text("description"),
    _json("included_items", "installs"),
    _text("skill", null=True),
    _flag("onsite"),
    _json("aliases"),
    _flag("is_available"),
    _moment("retired_at", null=True),
    sa.CheckConstraint("price >= 0 AND discount BETWEEN 0 AND 100", "price"),
    sa.CheckConstraint("minutes > 0", "minutes"),
)
_table(
    "car",
    _text("id", key=True),
    _text("brand", "model"),
    _whole("year_from"),
    _whole("year_to", null=True),
    _json("mounts", "aliases"),
)
_table(
    "technician",
    _text("id", key=True),
    _text("name"),
    _json("skills"),
    _text("phone", "email", "photo_url", null=True),
    _json("days_off"),
    _whole("rating_sum", "rating_count", "total_jobs"),
    _json("aliases"),
    _flag("is_available"),
    _moment("retired_at", null=True),
)
_table("leave", _refers("technician_id", "technician.id", key=True), _day("day", key=True))
_table("closure", _day("day", key=True), _text("reason"))
_table("catalogue_version", _whole("id", key=True), _whole("version"))

# --- people ------------------------------------------------------------------------------------

_table(
    "customer",
    _whole("id", key=True),
    _text("name", null=True),
    _text("phone", null=True, index=True),
    _flag("phone_proven"),
    _text("email", null=True),
    _text("clerk_user", null=True, unique=True),
    _moment("created_at"),
)
_table(
    "contact",
    _whole("id", key=True),
    _text("channel", "address"),
    _refers("customer_id", "customer.id", index=True),
    _text("language"),
    _moment("last_seen_at", "unreachable_at", null=True),
    _moment("created_at"),
    sa.UniqueConstraint("channel", "address"),
)

# --- talk --------------------------------------------------------------------------------------

_table(
    "conversation",
    _refers("contact_id", "contact.id", key=True),
    _json("state"),
    _moment("updated_at", index=True),
)
_table(
    "inbound",
    _text("channel", "event_id", key=True),
    _text("address"),
    _moment("received_at", index=True),
    _json("raw", null=True),
    _text("error", null=True),
    _partial("ix_inbound_failed", "received_at", where="error IS NOT NULL"),
)
_table(
    "outbox",
    _whole("id", key=True),
    _text("key", unique=True),
    _text("channel", "address", "language"),
    _json("body"),
    _refers("booking_id", "booking.id", null=True, index=True),
    _refers("about", "contact.id", null=True),
    _text("kind", "state"),
    _moment("due_at", "not_before"),
    _moment("until", null=True),
    _whole("attempts", "unclear"),
    _flag("shown", server_default=sa.false()),
    _whole("parts_left", null=True),
    _text("vendor_id", null=True, index=True),
    _text("delivery", "error", "trace", null=True),
    _moment("sent_at", null=True),
    _moment("created_at", index=True),
    _partial("ix_outbox_waiting", "channel", "address", "due_at", "id", where="state IN ('due', 'sending')"),
    _partial("ix_outbox_due", "channel", "due_at", where="state IN ('due', 'sending')"),
    _partial("ix_outbox_failed", "due_at", where="state = 'failed'"),
    _partial("ix_outbox_about", "about", where="about IS NOT NULL"),
)
_table("alarm", _text("name", key=True), _moment("since"))
_table("secret", _text("name", key=True), _text("value"))

# --- bookings ----------------------------------------------------------------------------------

_table(
    "booking",
    _whole("id", key=True),
    _text("code", unique=True),
    _refers("customer_id", "customer.id"),
    _refers("contact_id", "contact.id", null=True),
    _text("language", "name", "phone"),
    _text("email", null=True),
    _text("car_brand", "car_model"),
    _whole("car_year"),
    _text("plate", null=True),
    _word("location"),
    _text("address", null=True),
    _float("latitude", "longitude", null=True),
    _moment("starts_at", index=True),
    _whole("minutes"),
    _refers("technician_id", "technician.id", null=True),
    _word("status", "payment_status", "payment_method"),
    _whole("down_payment_percent", null=True),
    _whole("subtotal_parts", "subtotal_services", "onsite_fee", "additional_costs"),
    _whole("tax_base", "tax_amount", "total_price", "paid_amount"),
    _whole("going_back", server_default="0"),
    _moment("hold_until", null=True),
    _flag("holding"),
    _moment("created_at"),
    _moment("paid_at", "completed_at", "cancelled_at", null=True),
    _text("cancellation_reason", null=True),
    _moment("no_show_at", null=True),
    _whole("moves", server_default="0"),
    _day("warranty_until", null=True),
    sa.CheckConstraint("total_price >= 0 AND paid_amount >= 0", "money"),
    sa.Index("ix_booking_customer", "customer_id", "created_at"),
    sa.Index("ix_booking_status", "status", "starts_at", "payment_status"),
    sa.Index("ix_booking_payment_status", "payment_status", "starts_at"),
    sa.Index("ix_booking_technician", "technician_id", "starts_at", "status", "payment_status"),
    _partial("ix_booking_hold_until", "hold_until", where="hold_until IS NOT NULL"),
    _partial(
        "ix_booking_without_place",
        "status",
        "paid_at",
        where="status = 'pending' AND paid_amount > 0 AND NOT holding",
    ),
)
_table(
    "booking_line",
    _whole("id", key=True),
    _refers("booking_id", "booking.id", index=True),
    _refers("part_id", "part.id", null=True),
    _refers("service_id", "service.id", null=True),
    _text("name"),
    _whole("quantity", "price", "discount", "total", "minutes", "warranty_months"),
    _day("warranty_until", null=True),
    sa.CheckConstraint("quantity > 0", "quantity"),
)
_table(
    "booking_event",
    _whole("id", key=True),
    _refers("booking_id", "booking.id", index=True),
    _moment("at"),
    _text("kind", "actor"),
    _json("detail"),
)
_table(
    "waiting",
    _whole("id", key=True),
    _text("booking_code", unique=True),
    _refers("customer_id", "customer.id"),
    _refers("contact_id", "contact.id", null=True),
    _text("language"),
    _moment("starts_at"),
    _json("order"),
    _word("state"),
    _moment("created_at"),
    _moment("offered_until", null=True),
    _partial("ix_waiting_slot", "starts_at", "id", where="state = 'waiting'"),
    _partial("ix_waiting_offered_until", "offered_until", where="state = 'offered'"),
    sa.Index("ix_waiting_customer", "customer_id", "created_at"),
)
_table(
    "slot",
    _moment("starts_at", key=True),
    _whole("cap", "taken"),
    sa.CheckConstraint("taken >= 0 AND taken <= cap", "capacity"),
)
_table("seat", _refers("booking_id", "booking.id", key=True), _refers("starts_at", "slot.starts_at", key=True))
_table(
    "technician_cell",
    _refers("technician_id", "technician.id", key=True),
    _moment("starts_at", key=True),
    _refers("booking_id", "booking.id", index=True),
)

# --- work --------------------------------------------------------------------------------------

_table(
    "work_note",
    _whole("id", key=True),
    _refers("booking_id", "booking.id", index=True),
    _moment("at"),
    _text("author", "text"),
    _json("photos"),
)
_table(
    "additional_cost",
    _whole("id", key=True),
    _refers("booking_id", "booking.id", index=True),
    _text("description"),
    _whole("amount"),
    _text("photo", null=True),
    _word("state"),
    _text("proposed_by"),
    _moment("proposed_at"),
    _moment("decided_at", null=True),
    sa.CheckConstraint("amount > 0", "amount"),
)
_table(
    "rating",
    _refers("booking_id", "booking.id", key=True),
    _refers("technician_id", "technician.id", null=True),
    _whole("stars"),
    _text("comment", null=True),
    _moment("at"),
    sa.CheckConstraint("stars BETWEEN 1 AND 5", "stars"),
)

# --- money -------------------------------------------------------------------------------------

_table(
    "payment_request",
    _text("order_id", key=True),
    _refers("booking_id", "booking.id", index=True),
    _text("purpose"),
    _whole("amount"),
    _json("channels"),
    _word("state"),
    _text("token", "url", null=True),
    _moment("created_at", index=True),
    _moment("expires_at"),
    _moment("due_at", null=True),
    _whole("attempts"),
    _text("error", null=True),
    _partial("ix_payment_request_due_at", "due_at", where="due_at IS NOT NULL"),
)
_table(
    "payment_attempt",
    _text("transaction_id", key=True),
    _refers("order_id", "payment_request.order_id", index=True),
    _text("status", "method"),
    _whole("amount", null=True),
    _moment("first_seen_at", index=True),
    _moment("changed_at"),
    _json("answer"),
)
_table(
    "payment_notification",
    _whole("id", key=True),
    _text("order_id", "digest"),
    _json("body"),
    _moment("received_at"),
    _moment("due_at", null=True),
    _whole("attempts"),
    _text("outcome", null=True),
    sa.UniqueConstraint("order_id", "digest"),
    _partial("ix_payment_notification_due_at", "due_at", where="due_at IS NOT NULL"),
)
_table(
    "ledger_entry",
    _whole("id", key=True),
    _refers("booking_id", "booking.id", index=True),
    _text("order_id", "transaction_id", null=True),
    _text("kind", "reference"),
    _whole("amount"),
    _text("method"),
    _moment("at"),
    _json("evidence"),
    sa.UniqueConstraint("order_id", "kind", "reference"),
    sa.Index("ix_ledger_entry_at", "at", "amount"),
)
_table(
    "refund",
    _text("key", key=True),
    _refers("booking_id", "booking.id", index=True),
    _refers("order_id", "payment_request.order_id", null=True),
    _text("transaction_id", null=True),
    _whole("amount"),
    _text("reason"),
    _word("state"),
    _text("bank_account", null=True),
    _moment("asked_at"),
    _moment("done_at", null=True),
    _text("done_by", null=True),
    _moment("due_at", null=True),
    _whole("attempts"),
    _text("error", null=True),
    sa.CheckConstraint("amount > 0", "amount"),
    _partial("ix_refund_open", "asked_at", where="state <> 'done'"),
    _partial("ix_refund_due_at", "due_at", where="due_at IS NOT NULL"),
)

# --- papers ------------------------------------------------------------------------------------

for _paper in ("invoice", "credit_note"):
    _table(
        _paper,
        _text("number", key=True),
        _refers("booking_id", "booking.id", index=True),
        _moment("issued_at"),
        _json("facts"),
    )
_table(
    "receipt",
    _text("number", key=True),
    _refers("booking_id", "booking.id", index=True),
    _refers("entry_id", "ledger_entry.id", unique=True),
    _moment("issued_at"),
    _json("facts"),
)
_table("counter", _text("name", key=True), _whole("last"))

# --- REST, jobs --------------------------------------------------------------------------------

_table(
    "idempotency_key",
    _text("owner", "key", key=True),
    _text("digest"),
    _json("answer"),
    _moment("created_at", index=True),
)
_table(
    "job_run",
    _text("name", "key", key=True),
    _moment("started_at"),
    _moment("finished_at", null=True),
    _json("result"),
)

# --- what is written once ----------------------------------------------------------------------

_LEDGER = "id, booking_id, order_id, transaction_id, kind, reference, amount, method, at"
"""What is frozen of an entry: all but the evidence, from which a person's data can be erased."""
_PAPERS = {
    "invoice": "number, booking_id, issued_at",
    "credit_note": "number, booking_id, issued_at",
    "receipt": "number, booking_id, entry_id, issued_at",
}
"""What is frozen of each beside its facts."""
_PERSONAL = ("customer_name", "customer_phone", "customer_email", "plate", "address")
"""Of the facts, what can be erased (emptied, or made "-"), since it is about a person."""


def upgrade() -> None:
    """Apply."""
    SCHEMA.create_all(op.get_bind(), checkfirst=False)
    if op.get_bind().dialect.name == "sqlite":
        _write_once_on_sqlite()
    else:
        _write_once_on_postgresql()


def _write_once_on_sqlite() -> None:
    def refuse(table: str, name: str, when: str, why: str) -> None:
        op.execute(f"CREATE TRIGGER {table}_is_never_{name} BEFORE {when} BEGIN SELECT RAISE(ABORT, '{why}'); END")

    refuse("ledger_entry", "changed", f"UPDATE OF {_LEDGER} ON ledger_entry", "an entry of the ledger is never changed")
    refuse("ledger_entry", "deleted", "DELETE ON ledger_entry", "an entry of the ledger is never deleted")
    paths = [f"'$.{name}'" for name in _PERSONAL]
    rewritten = _rewritten(
        "json_remove({}.facts, " + ", ".join(paths) + ")",
        [(f"json_extract(NEW.facts, {path})", f"json_extract(OLD.facts, {path})") for path in paths],
        differs="IS NOT",
    )
    for table, frozen in _PAPERS.items():
        why = "a paper is never changed or deleted"
        refuse(table, "changed", f"UPDATE OF {frozen} ON {table}", why)
        refuse(table, "rewritten", f"UPDATE OF facts ON {table} WHEN {rewritten}", why)
        refuse(table, "deleted", f"DELETE ON {table}", why)


def _write_once_on_postgresql() -> None:
    def function(name: str, why: str) -> None:
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" RAISE EXCEPTION '{why}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )

    def refuse(table: str, name: str, when: str, by: str) -> None:
        op.execute(f"CREATE TRIGGER {table}_is_{name} BEFORE {when} EXECUTE FUNCTION {by}()")

    function("refuse_to_change_the_ledger", "an entry of the ledger is never changed or deleted")
    function("refuse_to_change_a_paper", "a paper is never changed or deleted")
    once = f"DELETE OR UPDATE OF {_LEDGER} ON ledger_entry FOR EACH ROW"
    refuse("ledger_entry", "written_once", once, "refuse_to_change_the_ledger")
    rewritten = _rewritten(
        "({}.facts::jsonb - ARRAY[" + ", ".join(f"'{name}'" for name in _PERSONAL) + "])",
        [(f"NEW.facts->>'{name}'", f"OLD.facts->>'{name}'") for name in _PERSONAL],
        differs="IS DISTINCT FROM",
    )
    for table, frozen in _PAPERS.items():
        kept = f"DELETE OR UPDATE OF {frozen} ON {table} FOR EACH ROW"
        refuse(table, "kept", kept, "refuse_to_change_a_paper")
        once = f"UPDATE OF facts ON {table} FOR EACH ROW WHEN ({rewritten})"
        refuse(table, "written_once", once, "refuse_to_change_a_paper")


def _rewritten(others: str, personal: list[tuple[str, str]], *, differs: str) -> str:
    """Whether facts become something else: `others` is all that isn't personal, `personal` the new and old value of each."""
    changed = f"{others.format('NEW')} <> {others.format('OLD')}"
    erased = (f"({new} {differs} {old} AND coalesce({new}, '-') <> '-')" for new, old in personal)
    return " OR ".join([changed, *erased])
