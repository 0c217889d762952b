"""An index to find a chat's calls for a person"""

from alembic import op

revision = "escalations_13"
down_revision = "bursts_12"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_escalation_contact_id", "escalation", ["contact_id"])
