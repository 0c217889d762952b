"""Customers who want no reminders, offers and alerts"""

import sqlalchemy as sa
from alembic import op

revision = "stop_13"
down_revision = "bursts_12"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customer", sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True))
