"""What is compared with Midtrans every night is found by an index"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_payment_request_created_at", "payment_request", "created_at"),
    ("ix_payment_attempt_first_seen_at", "payment_attempt", "first_seen_at"),
)


def upgrade() -> None:
    """Apply."""
    for name, table, column in _INDEXES:
        op.create_index(name, table, [column])


def downgrade() -> None:
    """Undo."""
    for name, table, _ in _INDEXES:
        op.drop_index(name, table_name=table)
