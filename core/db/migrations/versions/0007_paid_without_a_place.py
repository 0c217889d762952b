"""Bookings that are paid and have no place are found by an index"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_WHICH = "status = 'pending' AND paid_amount > 0 AND NOT holding"


def upgrade() -> None:
    """Apply."""
    which = sa.text(_WHICH)
    op.create_index(
        "ix_booking_without_place", "booking", ["status", "paid_at"], sqlite_where=which, postgresql_where=which
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_booking_without_place", "booking")
