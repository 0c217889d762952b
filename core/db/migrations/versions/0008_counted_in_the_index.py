"""Counts and sums read an index alone"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BEFORE = (
    ("ix_booking_status", "booking", ["status", "starts_at"]),
    ("ix_booking_technician", "booking", ["technician_id", "starts_at"]),
    ("ix_ledger_entry_at", "ledger_entry", ["at"]),
)
_AFTER = (
    ("ix_booking_status", "booking", ["status", "starts_at", "payment_status"]),
    ("ix_booking_technician", "booking", ["technician_id", "starts_at", "status", "payment_status"]),
    ("ix_ledger_entry_at", "ledger_entry", ["at", "amount"]),
)


def upgrade() -> None:
    """Apply."""
    _replace(_AFTER)


def downgrade() -> None:
    """Undo."""
    _replace(_BEFORE)


def _replace(indexes: tuple[tuple[str, str, list[str]], ...]) -> None:
    for name, table, columns in indexes:
        op.drop_index(name, table_name=table)
        op.create_index(name, table, columns)
