"""Messages that are only sent by day, what was refunded after a job was completed, and leave of several parts of a day"""

import sqlalchemy as sa
from alembic import op

revision = "by_day_9"
down_revision = "attributes_8"
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
    _split_leave(whole)


def _split_leave(whole: sa.types.TypeEngine[int]) -> None:
    columns = "technician_id, day, begins, ends"
    kept = op.get_bind().execute(sa.text(f"SELECT {columns} FROM leave")).all()  # noqa: S608
    op.drop_table("leave")
    op.create_table(
        "leave",
        sa.Column("id", whole, nullable=False),
        sa.Column("technician_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("begins", sa.Time(), nullable=True),
        sa.Column("ends", sa.Time(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_leave"),
        sa.ForeignKeyConstraint(["technician_id"], ["technician.id"], name="fk_leave_technician_id_technician"),
    )
    op.create_index("ix_leave_day", "leave", ["day", "technician_id"])
    for row in kept:
        op.get_bind().execute(
            sa.text(f"INSERT INTO leave ({columns}) VALUES (:technician_id, :day, :begins, :ends)"),  # noqa: S608
            dict(row._mapping),
        )
