"""Settings of the shop that admins change while it runs"""

import sqlalchemy as sa
from alembic import op

revision = "shop_settings_6"
down_revision = "retention_5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shop_setting",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_shop_setting"),
    )
