"""The FAQ as a file: question, spellings, answer.

An import takes all lines or none, and names all bad ones. Entries that the file doesn't mention stay. The `id` decides
which entry a line changes; without one the question does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalogue import cells
from core.catalogue.csv_files import BadFiles, Records, Remark, Unreadable, csv_text, uniform_records
from core.catalogue.csv_rows import Id, YesNo, reason
from core.db.tables import Faq
from core.faq.entries import LONGEST_ANSWER, LONGEST_QUESTION, MOST_ENTRIES, MOST_SPELLINGS, new_id
from core.messaging.messages import say

_Question = Annotated[str, Field(max_length=LONGEST_QUESTION), AfterValidator(cells.printable)]
_Answer = Annotated[str, Field(max_length=LONGEST_ANSWER), AfterValidator(cells.printable)]


class Row(BaseModel):
    """The columns of the file; an empty cell means the default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id | None = None
    question: _Question
    spellings: Annotated[list[_Question], BeforeValidator(cells.pieces), Field(max_length=MOST_SPELLINGS)] = []
    answer: _Answer
    answer_en: _Answer | None = None
    retired: YesNo = False


COLUMNS = tuple(Row.model_fields)


@dataclass(frozen=True, slots=True)
class Imported:
    """How many entries a file changed and took out."""

    kept: int
    retired: int


def read(files: Mapping[str, str | Records]) -> list[Row]:
    """The rows of CSV texts or a spreadsheet's records, by file name; raises `BadFiles`."""
    rows: list[Row] = []
    bad: list[Remark] = []
    for file, content in files.items():
        try:
            (at, header), *rest = uniform_records(file, content)
        except BadFiles as refused:
            bad.extend(refused.lines)
            continue
        wrong = [say("catalogue.unknown_column", column=cells.shown(name)) for name in header if name not in COLUMNS]
        wrong += [say("catalogue.twice", column=name) for name in COLUMNS if list(header).count(name) > 1]
        if wrong:
            bad.extend(Remark(file, at, why) for why in wrong)
            continue
        for number, row in rest:
            found = _row(file, number, {str(name): cell for name, cell in zip(header, row, strict=True) if cell})
            (rows.append if isinstance(found, Row) else bad.extend)(found)  # type: ignore[arg-type]
    if bad:
        raise BadFiles(bad)
    return rows


async def apply(session: AsyncSession, rows: Sequence[Row], *, now: datetime) -> Imported:
    """Put the rows into the table; raises `BadFiles` if there would be more entries than a turn should look through."""
    present = {entry.id: entry for entry in await session.scalars(select(Faq).with_for_update())}
    by_question = {entry.question.casefold(): entry.id for entry in present.values()}
    kept, retired = set(present), set[str]()
    for row in rows:
        entry_id = row.id or by_question.get(row.question.casefold()) or new_id(row.question, kept)
        if row.retired:
            retired.add(entry_id)
            continue
        kept.add(entry_id)
        by_question[row.question.casefold()] = entry_id
        values = {
            "question": row.question,
            "spellings": row.spellings,
            "answer": row.answer,
            "answer_en": row.answer_en,
        }
        await session.merge(Faq(id=entry_id, changed_at=now, **values))
    if len(kept - retired) > MOST_ENTRIES:
        raise BadFiles([Remark("faq", 1, say("catalogue.too_many", limit=MOST_ENTRIES))])
    await session.flush()
    await session.execute(delete(Faq).where(Faq.id.in_(retired)))
    return Imported(kept=sum(not row.retired for row in rows), retired=len(retired & present.keys()))


async def write(session: AsyncSession) -> str:
    """The FAQ as CSV; `read` takes it back."""
    return csv_text(await table(session))


async def table(session: AsyncSession) -> list[Sequence[str]]:
    """The FAQ as rows of cells, the header first."""
    columns = [name for name in COLUMNS if name != "retired"]
    entries = await session.scalars(select(Faq).order_by(Faq.id))
    return [columns, *([cells.cell(getattr(entry, name)) for name in columns] for entry in entries)]


def _row(file: str, number: int, filled: Mapping[str, object]) -> Row | list[Remark]:
    unreadable = [(name, cell) for name, cell in filled.items() if isinstance(cell, Unreadable)]
    if unreadable:
        return [Remark(file, number, say("catalogue.cell", column=name, why=cell.why)) for name, cell in unreadable]
    try:
        return Row.model_validate(filled)
    except ValidationError as refused:
        return [Remark(file, number, reason(error)) for error in refused.errors()]
