"""Messages that wait for more of their chat"""

import sqlalchemy as sa
from alembic import op

revision = "bursts_12"
down_revision = "unknown_orders_11"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbound", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    waiting = sa.text("due_at IS NOT NULL")
    op.create_index("ix_inbound_held", "inbound", ["received_at"], sqlite_where=waiting, postgresql_where=waiting)
