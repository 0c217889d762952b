"""Declares per table what happens to the rows about a person; `core.people` does it.

A table is about people if it is the customers' table, says `personal`, or has a foreign key to a table that is.

    __table_args__ = personal(erase=Rows.DELETED)      the rows go when their person is erased
    __table_args__ = personal(erase=Rows.KEPT)         the rows stay, for the books
        mapped_column(info=erased_to(None))              but for this column
        mapped_column(info=erased_by(Content.PAPER))     or a part of its JSON
    personal(..., forget=Forget("created_at"))         the rows go when they are old
    mapped_column(info=refers_to("customer.id"))       leads to a person without a foreign key
    mapped_column(info=NAMES_PHOTOS)                   holds keys of stored photos
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, MetaData, Table

NOBODY = "-"
"""Takes the place of a name where the column can't be empty."""
NAMES_PHOTOS = {"photos": True}


class Undeclared(Exception):
    """A table refers to people but declares no `personal`."""


class Rows(StrEnum):
    """What happens to the rows about a person who is erased."""

    DELETED = "deleted"
    KEPT = "kept"


class Keep(StrEnum):
    """The setting that says how long rows are kept."""

    MESSAGES = "messages"
    RECORDS = "records"
    STRANGERS = "strangers"


class Content(StrEnum):
    """What a JSON column holds; decides what is kept of it."""

    EVENT = "event"
    EVIDENCE = "evidence"
    PAPER = "paper"


@dataclass(frozen=True, slots=True)
class Forget:
    """Which rows are old: those where all these moments are long enough ago."""

    moments: tuple[str, ...]
    where: str = "1 = 1"
    """SQL: which of them may go."""
    after: timedelta | None = None
    """None: as set in the settings."""
    keep: Keep = Keep.MESSAGES


@dataclass(frozen=True, slots=True)
class Personal:
    erase: Rows
    exported: bool = True
    """False: the rows repeat what other tables say."""
    by_address: bool = False
    """Whether a row is also about the person with its `channel` and `address`."""
    forget: Forget | None = None


def personal(
    *, erase: Rows, exported: bool = True, by_address: bool = False, forget: Forget | None = None
) -> dict[str, Any]:
    """The last of a class's `__table_args__`."""
    return {"info": {"personal": Personal(erase, exported, by_address, forget)}}


def forgotten(forget: Forget) -> dict[str, Any]:
    """The last of the `__table_args__` of a class that is about nobody."""
    return {"info": {"forget": forget}}


def forgetful_tables(metadata: MetaData) -> Iterator[tuple[Table, Forget]]:
    """Every table whose rows go when they are old, and which are."""
    about_people = tables_about_people(metadata)
    for table in metadata.sorted_tables:
        found = about_people[table].forget if table in about_people else table.info.get("forget")
        if found is not None:
            yield table, found


def erased_to(value: object) -> dict[str, Any]:
    return {"erased_to": value}


def erased_by(content: Content) -> dict[str, Any]:
    return {"content": content}


def refers_to(column: str) -> dict[str, Any]:
    """As a foreign key, where the database can't keep one; `column`: "table.column"."""
    return {"refers_to": column}


def tables_about_people(metadata: MetaData) -> Mapping[Table, Personal]:
    """Every table about people and what it says; those that are referred to come first. Raises `Undeclared`."""
    found: dict[Table, Personal] = {}
    for table in metadata.sorted_tables:
        if "personal" in table.info:
            found[table] = table.info["personal"]
        elif any(target.table in found for _, target in references(table)):
            raise Undeclared(f"{table.name}: say personal(erase=...) in its __table_args__ (core.db.personal)")
    return found


def references(table: Table) -> Iterator[tuple[Column[Any], Column[Any]]]:
    """The columns of a table that refer to others, each with what it refers to."""
    for key in table.foreign_keys:
        yield key.parent, key.column
    for column in table.columns:
        if "refers_to" in column.info:
            name, _, target = column.info["refers_to"].partition(".")
            yield column, table.metadata.tables[name].c[target]


def columns_naming_photos(metadata: MetaData) -> list[Column[Any]]:
    return [column for table in metadata.sorted_tables for column in table.columns if "photos" in column.info]
