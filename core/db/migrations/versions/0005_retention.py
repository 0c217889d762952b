"""Indexes to find what is old"""

import sqlalchemy as sa
from alembic import op

revision = "retention_5"
down_revision = "money_4"
branch_labels = None
depends_on = None

PARTIAL = (
    ("ix_booking_contact_id", "booking", "contact_id", "contact_id IS NOT NULL"),
    ("ix_waiting_contact_id", "waiting", "contact_id", "contact_id IS NOT NULL"),
    ("ix_waiting_past", "waiting", "starts_at", "state IN ('taken', 'ended')"),
    ("ix_payment_notification_settled", "payment_notification", "received_at", "due_at IS NULL"),
)
WHOLE = (
    ("ix_stock_alert_created_at", "stock_alert", "created_at"),
    ("ix_customer_created_at", "customer", "created_at"),
    ("ix_job_run_started_at", "job_run", "started_at"),
)


def upgrade() -> None:
    for name, table, column, where in PARTIAL:
        op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    for name, table, column in WHOLE:
        op.create_index(name, table, [column])
