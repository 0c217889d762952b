"""What is seen from outside: the trace of a message, failed messages, alarms"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "alarm",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_alarm")),
    )
    op.add_column("outbox", sa.Column("trace", sa.Text(), nullable=True))
    op.create_index(
        "ix_outbox_failed",
        "outbox",
        ["due_at"],
        sqlite_where=sa.text("state = 'failed'"),
        postgresql_where=sa.text("state = 'failed'"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_outbox_failed", table_name="outbox")
    op.drop_column("outbox", "trace")
    op.drop_table("alarm")
