"""The FAQ's file: all lines or none, found again by id or question, and back out as it came in."""

from datetime import datetime

import pytest
from sqlalchemy import select

from bot.sandbox.demo import FAQ
from conversations.texts import render
from core.catalogue.csv_files import BadFiles
from core.db.database import Database
from core.db.tables import Faq
from core.faq import csv_file
from core.faq.entries import MOST_ENTRIES, new_id


async def _import(database: Database, text: str, now: datetime) -> csv_file.Imported:
    async with database.write() as session:
        return await csv_file.apply(session, csv_file.read({"faq.csv": text}), now=now)


async def _all(database: Database) -> dict[str, tuple[str, list[str], str, str | None]]:
    async with database.read() as session:
        rows = await session.scalars(select(Faq))
        return {row.id: (row.question, row.spellings, row.answer, row.answer_en) for row in rows}


async def test_the_demo_comes_out_as_it_went_in(database: Database, now: datetime) -> None:
    await _import(database, FAQ.read_text("utf-8"), now)
    before = await _all(database)
    async with database.read() as session:
        text = await csv_file.write(session)
    await _import(database, text, now)
    assert await _all(database) == before
    assert len(before) == 10


async def test_a_line_without_id_is_found_by_its_question(database: Database, now: datetime) -> None:
    await _import(database, "question,answer\nAda parkir?,Ada\nBuka Minggu?,Tutup\n", now)
    await _import(database, "Question;Answer;Spellings\nada parkir?;Ada Kak;parkir dmn|tempat parkir\n", now)
    assert await _all(database) == {
        "ada-parkir": ("ada parkir?", ["parkir dmn", "tempat parkir"], "Ada Kak", None),
        "buka-minggu": ("Buka Minggu?", [], "Tutup", None),
    }


async def test_a_retired_line_goes_and_others_stay(database: Database, now: datetime) -> None:
    await _import(database, "id,question,answer\na,Ada parkir?,Ada\nb,Buka?,Ya\n", now)
    done = await _import(database, "id,question,answer,retired\na,Ada parkir?,Ada,ya\nc,Baru?,Ya,\n", now)
    assert (done.kept, done.retired) == (1, 1)
    assert set(await _all(database)) == {"b", "c"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("question,answer\nAda parkir?,\n", "baris 2: answer masih kosong"),
        ("question,jawaban\nAda?,Ada\n", "jawaban"),
        ("id,question,answer\nA B,Ada?,Ada\n", "id harus seperti"),
        (f"question,answer\nAda?,{'a' * 1001}\n", "lebih panjang dari 1000"),
        ("question,answer,answer\nAda?,a,b\n", "kolom answer ada dua kali"),
        ("", "berkasnya kosong"),
    ],
)
async def test_a_bad_line_is_named_and_nothing_imported(database: Database, now: datetime, text: str, why: str) -> None:
    good = "question,answer\nBuka?,Ya\n"
    with pytest.raises(BadFiles) as refused:
        csv_file.read({"good.csv": good, "faq.csv": text})
    assert why in "\n".join(render(line.sentence, "id") for line in refused.value.lines)
    assert await _all(database) == {}


async def test_more_than_a_turn_may_look_through_is_refused(database: Database, now: datetime) -> None:
    lines = "".join(f"Nomor {number}?,Ya\n" for number in range(MOST_ENTRIES + 1))
    with pytest.raises(BadFiles):
        await _import(database, f"question,answer\n{lines}", now)


def test_ids_are_made_of_words_and_unique() -> None:
    assert new_id("Ada parkir, Kak?", ()) == "ada-parkir-kak"
    assert new_id("Ada parkir, Kak?", {"ada-parkir-kak"}) == "ada-parkir-kak-2"
    assert new_id("？？", ()) == "faq"
