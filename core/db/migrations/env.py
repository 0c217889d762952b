"""Alembic's entry: runs on the connection that `core.db.database` hands over."""

from typing import Any, Literal

from alembic import context

from core.db.tables import Base, Moment


def _render(kind: str, item: Any, _autogen: Any) -> str | Literal[False]:
    """Migrations name plain types, so that they don't change with the program."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Moment) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite can't alter a column in place
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
