"""How much of a long message the vendor has taken is remembered"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "outbox", sa.Column("parts_left", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.drop_column("parts_left")
