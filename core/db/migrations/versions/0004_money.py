"""Midtrans' fee that a customer paid, and money for orders that we don't know"""

import sqlalchemy as sa
from alembic import op

revision = "money_4"
down_revision = "time_held_3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("payment_attempt", sa.Column("fee", whole, nullable=False, server_default="0"))
    op.create_table(
        "unknown_order",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("amount", whole, nullable=True),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.Column("explained_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("order_id", name="pk_unknown_order"),
    )
    without = sa.text("explanation IS NULL")
    op.create_index(
        "ix_unknown_order_found_at", "unknown_order", ["found_at"], sqlite_where=without, postgresql_where=without
    )
