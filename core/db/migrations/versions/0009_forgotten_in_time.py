"""What is old is found by an index, to be forgotten"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_conversation_updated_at", "conversation", "updated_at"),
    ("ix_inbound_received_at", "inbound", "received_at"),
    ("ix_outbox_created_at", "outbox", "created_at"),
)


def upgrade() -> None:
    """Apply."""
    for name, table, column in _INDEXES:
        op.create_index(name, table, [column])


def downgrade() -> None:
    """Undo."""
    for name, table, _ in _INDEXES:
        op.drop_index(name, table_name=table)
