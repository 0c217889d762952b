"""What customers ask of parts, and which services are for them"""

import sqlalchemy as sa
from alembic import op

revision = "attributes_8"
down_revision = "calendar_7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("part", sa.Column("size", sa.Text(), nullable=True))
    op.add_column("part", sa.Column("type", sa.Text(), nullable=True))
    op.add_column("part", sa.Column("channels", whole, nullable=True))
    op.add_column("part", sa.Column("watts", whole, nullable=True))
    op.add_column("service", sa.Column("installs_types", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("service", sa.Column("repairs", sa.JSON(), nullable=False, server_default="[]"))
