"""Leave of a part of a day, and bookings that can't be done as booked"""

import sqlalchemy as sa
from alembic import op

revision = "calendar_7"
down_revision = "shop_settings_6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("leave", sa.Column("begins", sa.Time(), nullable=True))
    op.add_column("leave", sa.Column("ends", sa.Time(), nullable=True))
    op.add_column("booking", sa.Column("impossible_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("booking", sa.Column("kept_despite", sa.Text(), nullable=True))
    known = sa.text("impossible_since IS NOT NULL")
    op.create_index(
        "ix_booking_impossible_since", "booking", ["impossible_since"], sqlite_where=known, postgresql_where=known
    )
