"""An index to find old unknown orders"""

import sqlalchemy as sa
from alembic import op

revision = "unknown_orders_11"
down_revision = "people_10"
branch_labels = None
depends_on = None


def upgrade() -> None:
    explained = sa.text("explanation IS NOT NULL")
    op.create_index(
        "ix_unknown_order_explained_at",
        "unknown_order",
        ["explained_at"],
        sqlite_where=explained,
        postgresql_where=explained,
    )
