"""A booking's place is the time it spans, no longer cells of the shop's slots"""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

revision = "time_held_3"
down_revision = "stock_alerts_2"
branch_labels = None
depends_on = None

WITHOUT_SERVICES = 60
"""Minutes: parts alone took one slot, of 60 minutes unless the owner had changed it."""


def upgrade() -> None:
    op.add_column("booking", sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
    booking = sa.table(
        "booking",
        sa.column("id", sa.BigInteger()),
        sa.column("starts_at", sa.DateTime(timezone=True)),
        sa.column("ends_at", sa.DateTime(timezone=True)),
        sa.column("minutes", sa.Integer()),
    )
    connection = op.get_bind()
    rows = connection.execute(sa.select(booking.c.id, booking.c.starts_at, booking.c.minutes)).all()
    ends = [
        {"which": number, "ends": starts_at + timedelta(minutes=minutes or WITHOUT_SERVICES)}
        for number, starts_at, minutes in rows
    ]
    if ends:
        change = sa.update(booking).where(booking.c.id == sa.bindparam("which")).values(ends_at=sa.bindparam("ends"))
        connection.execute(change, ends)
    with op.batch_alter_table("booking") as table:
        table.alter_column("ends_at", existing_type=sa.DateTime(timezone=True), nullable=False)
    op.drop_table("technician_cell")
    op.drop_table("seat")
    op.drop_table("slot")
