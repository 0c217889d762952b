"""Invoices, credit notes and receipts are written once"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_PAPERS = {
    "invoice": "number, booking_id, issued_at",
    "credit_note": "number, booking_id, issued_at",
    "receipt": "number, booking_id, entry_id, issued_at",
}
"""What is frozen of each beside its facts."""
_PERSONAL = ("customer_name", "customer_phone", "customer_email", "plate", "address")
"""Of the facts, what can be erased (emptied, or made "-"), since it is about a person."""


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "sqlite":
        for table, columns in _PAPERS.items():
            _refuse_on_sqlite(table, "changed", f"UPDATE OF {columns} ON {table}")
            _refuse_on_sqlite(table, "rewritten", f"UPDATE OF facts ON {table} WHEN {_rewritten_on_sqlite()}")
            _refuse_on_sqlite(table, "deleted", f"DELETE ON {table}")
        return
    op.execute(
        "CREATE FUNCTION refuse_to_change_a_paper() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'a paper is never changed or deleted'"
        " USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for table, columns in _PAPERS.items():
        _refuse_on_postgresql(table, "kept", f"DELETE OR UPDATE OF {columns} ON {table} FOR EACH ROW")
        rewritten = f"UPDATE OF facts ON {table} FOR EACH ROW WHEN ({_rewritten_on_postgresql()})"
        _refuse_on_postgresql(table, "written_once", rewritten)


def downgrade() -> None:
    """Undo."""
    for table in _PAPERS:
        if op.get_bind().dialect.name == "sqlite":
            for name in ("changed", "rewritten", "deleted"):
                op.execute(f"DROP TRIGGER {table}_is_never_{name}")
        else:
            for name in ("kept", "written_once"):
                op.execute(f"DROP TRIGGER {table}_is_{name} ON {table}")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION refuse_to_change_a_paper")


def _refuse_on_sqlite(table: str, name: str, when: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_is_never_{name} BEFORE {when}"
        " BEGIN SELECT RAISE(ABORT, 'a paper is never changed or deleted'); END"
    )


def _refuse_on_postgresql(table: str, name: str, when: str) -> None:
    op.execute(f"CREATE TRIGGER {table}_is_{name} BEFORE {when} EXECUTE FUNCTION refuse_to_change_a_paper()")


def _rewritten_on_sqlite() -> str:
    paths = [f"'$.{name}'" for name in _PERSONAL]
    others = "json_remove({}.facts, " + ", ".join(paths) + ")"
    erased = (
        f"(json_extract(NEW.facts, {path}) IS NOT json_extract(OLD.facts, {path})"
        f" AND coalesce(json_extract(NEW.facts, {path}), '-') <> '-')"
        for path in paths
    )
    return " OR ".join([f"{others.format('NEW')} <> {others.format('OLD')}", *erased])


def _rewritten_on_postgresql() -> str:
    others = "({}.facts::jsonb - ARRAY[" + ", ".join(f"'{name}'" for name in _PERSONAL) + "])"
    erased = (
        f"(NEW.facts->>'{name}' IS DISTINCT FROM OLD.facts->>'{name}' AND coalesce(NEW.facts->>'{name}', '-') <> '-')"
        for name in _PERSONAL
    )
    return " OR ".join([f"{others.format('NEW')} <> {others.format('OLD')}", *erased])
