"""Messages that are only sent by day, and what was refunded after a job was completed"""

import sqlalchemy as sa
from alembic import op

revision = "by_day_8"
down_revision = "calendar_7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("by_day", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE outbox SET by_day = true WHERE kind = 'reminder'")
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("booking", sa.Column("waived", whole, nullable=False, server_default="0"))
    op.execute(
        "UPDATE booking SET waived = (SELECT coalesce(-sum(amount), 0) FROM ledger_entry WHERE booking_id = booking.id"
        " AND kind = 'refunded' AND at >= booking.completed_at) WHERE completed_at IS NOT NULL"
    )
