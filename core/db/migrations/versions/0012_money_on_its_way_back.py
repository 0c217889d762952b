"""Money on its way back pays for nothing"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    amount = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("booking", sa.Column("going_back", amount, nullable=False, server_default="0"))
    op.execute(
        "UPDATE booking SET going_back = "
        "(SELECT SUM(amount) FROM refund WHERE refund.booking_id = booking.id AND refund.state <> 'done') "
        "WHERE id IN (SELECT booking_id FROM refund WHERE state <> 'done')"
    )


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("booking") as batch_op:
        batch_op.drop_column("going_back")
