"""Whom staff is told of; nobody is kept to whom nothing leads"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    contact = sa.ForeignKey("contact.id", name=op.f("fk_outbox_about"))
    op.add_column("outbox", sa.Column("about", number, contact, nullable=True), inline_references=True)
    there = sa.text("about IS NOT NULL")
    op.create_index("ix_outbox_about", "outbox", ["about"], sqlite_where=there, postgresql_where=there)
    # What is left of customers who turned out to be somebody known.
    op.execute(
        "DELETE FROM customer WHERE clerk_user IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM contact WHERE contact.customer_id = customer.id) "
        "AND NOT EXISTS (SELECT 1 FROM booking WHERE booking.customer_id = customer.id) "
        "AND NOT EXISTS (SELECT 1 FROM waiting WHERE waiting.customer_id = customer.id)"
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_outbox_about", table_name="outbox")
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.drop_column("about")
