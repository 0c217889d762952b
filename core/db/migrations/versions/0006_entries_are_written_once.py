"""Entries of the ledger are written once, and tell whose attempt they are about"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_FROZEN = "id, booking_id, order_id, transaction_id, kind, reference, amount, method, at"
"""All but the evidence, from which a person's data can be erased."""


def upgrade() -> None:
    """Apply."""
    op.add_column("ledger_entry", sa.Column("transaction_id", sa.Text(), nullable=True))
    op.add_column("refund", sa.Column("transaction_id", sa.Text(), nullable=True))
    op.execute(
        "UPDATE ledger_entry SET transaction_id = (SELECT received.reference FROM ledger_entry AS received"
        " WHERE received.order_id = ledger_entry.order_id AND received.kind = 'received')"
    )
    if op.get_bind().dialect.name == "sqlite":
        for what, name in ((f"UPDATE OF {_FROZEN}", "changed"), ("DELETE", "deleted")):
            op.execute(
                f"CREATE TRIGGER ledger_entry_is_never_{name} BEFORE {what} ON ledger_entry"
                f" BEGIN SELECT RAISE(ABORT, 'an entry of the ledger is never {name}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_to_change_the_ledger() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'an entry of the ledger is never changed or deleted'"
        " USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER ledger_entry_is_written_once BEFORE DELETE OR UPDATE OF {_FROZEN} ON ledger_entry"
        " FOR EACH ROW EXECUTE FUNCTION refuse_to_change_the_ledger()"
    )


def downgrade() -> None:
    """Undo."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER ledger_entry_is_never_changed")
        op.execute("DROP TRIGGER ledger_entry_is_never_deleted")
    else:
        op.execute("DROP TRIGGER ledger_entry_is_written_once ON ledger_entry")
        op.execute("DROP FUNCTION refuse_to_change_the_ledger")
    op.drop_column("refund", "transaction_id")
    op.drop_column("ledger_entry", "transaction_id")
