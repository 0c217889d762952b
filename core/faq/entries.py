"""The FAQ's entries."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import Faq

LONGEST_ANSWER = 1000
LONGEST_QUESTION = 200
MOST_SPELLINGS = 50
MOST_ENTRIES = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """A question with its spellings, and the answer by language."""

    id: str
    questions: tuple[str, ...]
    answer: str
    answer_en: str | None

    def answer_in(self, language: str) -> str:
        return (self.answer_en if language == "en" else None) or self.answer


async def load(session: AsyncSession) -> Sequence[Entry]:
    """All entries: one query, for when nothing else was understood."""
    query = select(Faq.id, Faq.question, Faq.spellings, Faq.answer, Faq.answer_en).order_by(Faq.id)
    return [
        Entry(row.id, (row.question, *row.spellings), row.answer, row.answer_en) for row in await session.execute(query)
    ]


def new_id(question: str, taken: Collection[str]) -> str:
    """An id from a question's words that no entry has."""
    words = re.findall(r"[a-z0-9]+", question.casefold())
    slug = "-".join(words)[:40].strip("-") or "faq"
    return next(name for name in (slug, *(f"{slug}-{number}" for number in range(2, 10_000))) if name not in taken)
