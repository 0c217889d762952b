"""Chats that want to be told when a part is back"""

import sqlalchemy as sa
from alembic import op

revision = "stock_alerts_2"
down_revision = "schema_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "stock_alert",
        sa.Column("id", whole, nullable=False),
        sa.Column("contact_id", whole, nullable=False),
        sa.Column("part_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_stock_alert_contact_id"),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name="fk_stock_alert_part_id"),
        sa.PrimaryKeyConstraint("id", name="pk_stock_alert"),
        sa.UniqueConstraint("contact_id", "part_id", name="uq_stock_alert_contact_id_part_id"),
    )
    op.create_index("ix_stock_alert_part_id", "stock_alert", ["part_id"])
