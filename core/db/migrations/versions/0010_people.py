"""Customers who wait for a person, the owner's FAQ, and questions that nobody could answer"""

import sqlalchemy as sa
from alembic import op

revision = "people_10"
down_revision = "by_day_9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "escalation",
        sa.Column("id", whole, nullable=False),
        sa.Column("contact_id", whole, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("booking_id", whole, nullable=True),
        sa.Column("about", sa.JSON(), nullable=True),
        sa.Column("media", sa.JSON(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("cards", whole, nullable=False),
        sa.Column("renew_at", moment, nullable=False),
        sa.Column("closed_at", moment, nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_escalation_contact_id"),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name="fk_escalation_booking_id"),
        sa.PrimaryKeyConstraint("id", name="pk_escalation"),
    )
    is_open, is_closed = sa.text("closed_at IS NULL"), sa.text("closed_at IS NOT NULL")
    op.create_index(
        "uq_escalation_open", "escalation", ["contact_id"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_index("ix_escalation_contact_id", "escalation", ["contact_id"])
    op.create_index(
        "ix_escalation_renew_at", "escalation", ["renew_at"], sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_index(
        "ix_escalation_closed_at", "escalation", ["closed_at"], sqlite_where=is_closed, postgresql_where=is_closed
    )
    op.create_table(
        "faq",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("spellings", sa.JSON(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answer_en", sa.Text(), nullable=True),
        sa.Column("changed_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_faq"),
    )
    op.create_table(
        "unanswered",
        sa.Column("id", whole, nullable=False),
        sa.Column("contact_id", whole, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("count", whole, nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_unanswered_contact_id"),
        sa.PrimaryKeyConstraint("id", name="pk_unanswered"),
        sa.UniqueConstraint("contact_id", "topic", name="uq_unanswered_contact_id_topic"),
    )
    op.create_index("ix_unanswered_topic", "unanswered", ["topic"])
    op.create_index("ix_unanswered_asked_at", "unanswered", ["asked_at"])
