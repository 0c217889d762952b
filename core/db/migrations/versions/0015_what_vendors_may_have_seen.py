"""Whether a vendor may have seen a message is remembered"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("outbox", sa.Column("shown", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE outbox SET shown = true WHERE state = 'sending'")


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.drop_column("shown")
