"""The owner's answers: which words ask for them, which don't, and what nobody could answer."""

from datetime import datetime, timedelta

import pytest
from paying import letters
from sqlalchemy import func, select
from talk import Talk

from bot.sandbox.demo import FAQ
from conversations import faq
from core.context import Context
from core.db.database import Database
from core.db.tables import Contact, Faq, Unanswered
from core.faq import csv_file, unanswered
from core.people import contacts
from core.shop import Shop

MATCHING = [
    ("parkirnya dmn ya kak?", "parkir"),
    ("ada parkiran gak", "parkir"),
    ("Ada parkir mobil ga kak", "parkir"),
    ("is there a parking", "parkir"),
    ("boleh nunggu di tempat ga", "tunggu"),
    ("bisa ditungguin gak kak", "tunggu"),
    ("menunggu di tempat bisa?", "tunggu"),
    ("ruang tunggunya ada?", "tunggu"),
    ("ada wifi gak", "wifi"),
    ("wifi ada kak?", "wifi"),
    ("paswod wifi nya", "wifi"),
    ("ada musholla?", "musala"),
    ("toilet ada?", "toilet"),
    ("toiletny dmn kak", "toilet"),
    ("akinya kuat ga ya", "aki"),
    ("barangnya ori kan?", "asli"),
    ("barangnya original?", "asli"),
    ("bisa tukar tambah ga", "barang-bekas"),
    ("terima tuker tambah gak", "barang-bekas"),
    ("bs tt? trade in maksudnya", None),
    ("bisa jadi reseller kak?", "kerja-sama"),
]
OTHERS = [
    "parkir motor berapa",
    "garansi berapa lama",
    "garansi toko brp bulan",
    "bisa bayar di tempat",
    "mau pasang di rumah",
    "aki avanza berapa",
    "jual aki?",
    "tunggu sebentar ya",
    "wifi android head unit bisa?",
    "barang sampai kapan",
    "tempatnya dimana",
    "bisa tukar jam?",
    "tukar speaker jadi venom",
    "ada barang lain?",
    "speaker asli mobil saya rusak",
    "ada kamera mundur?",
    "bisa pasang hari minggu?",
    "bisa jadi hari ini?",
    "ruang tamu",
    "halo",
    "tidak",
    "???",
    "👍",
    "2",
    "",
    "kak",
]


async def _import_demo(database: Database, now: datetime) -> None:
    async with database.write() as session:
        await csv_file.apply(session, csv_file.read({"faq.csv": FAQ.read_text("utf-8")}), now=now)


async def _put(database: Database, now: datetime, *questions: str) -> None:
    async with database.write() as session:
        for number, question in enumerate(questions):
            session.add(Faq(id=f"q{number}", question=question, spellings=[], answer=f"A{number}", changed_at=now))


@pytest.mark.parametrize("stocked", ["sqlite"], indirect=True)
async def test_a_question_finds_its_answer(stocked: Database, shop: Shop, now: datetime) -> None:
    await _import_demo(stocked, now)
    async with stocked.read() as session:
        answers = dict((await session.execute(select(Faq.id, Faq.answer))).all())
        found = {text: await faq.find(Context(session, shop, now), text, "id") for text, _ in MATCHING}
    assert found == {text: answers[name] if name else None for text, name in MATCHING}


@pytest.mark.parametrize("stocked", ["sqlite"], indirect=True)
async def test_another_question_finds_none(stocked: Database, shop: Shop, now: datetime) -> None:
    await _import_demo(stocked, now)
    async with stocked.read() as session:
        assert [text for text in OTHERS if await faq.find(Context(session, shop, now), text, "id")] == []


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ("Buka hari Minggu?", "buka hari sabtu?"),
        ("Terima kartu kredit BCA?", "terima kartu kredit mandiri?"),
        ("Garansi 1 tahun?", "garansi 2 tahun?"),
        ("Bisa antar ke Bandung?", "bisa antri ke bandung?"),
        ("Kenapa bluetooth tidak tersambung?", "kenapa bluetooth tersambung?"),
        ("Ada promo akhir tahun?", "ada promo?"),
    ],
)
def test_a_word_that_matters_makes_another_question(known: str, asked: str) -> None:
    assert faq.likeness(faq.words_of(known), faq.words_of(asked)) < faq.THRESHOLD


async def test_equally_near_answers_are_not_guessed(database: Database, shop: Shop, now: datetime) -> None:
    await _put(database, now, "Antar barang ke Bogor gratis?", "Antar barang ke Depok gratis?")
    async with database.read() as session:
        ctx = Context(session, shop, now)
        assert await faq.find(ctx, "antar barang gratis?", "id") is None
        assert await faq.find(ctx, "antar barang ke depok gratis?", "id") == "A1"


async def test_english_gets_the_english_answer(stocked: Database, shop: Shop, now: datetime) -> None:
    await _import_demo(stocked, now)
    await _put(stocked, now, "Ada kantin?")
    talk = Talk(stocked, shop, "telegram", now, language="en")
    await talk.type("hello")
    await talk.type("is there wifi?")
    assert "Yes, it is free." in talk.screen
    await talk.type("ada kantin?")
    assert "A0" in talk.screen  # there is no other


@pytest.mark.parametrize(
    "text", ["qwerty asdf", "halo", "kresek kresek", "bluetooth ga konek", "??", "berapa?", "ada?", "👍", "10", ""]
)
def test_what_asks_nothing_is_not_kept(text: str) -> None:
    assert not faq.is_question(text)


async def test_the_same_question_counts_up(database: Database, shop: Shop, now: datetime) -> None:
    asked = ["bisa bawa kucing ga kak?", "boleh bawa kucing?", "Kucing boleh dibawa?", "ada kantin ga"]
    async with database.write() as session:
        ctx = Context(session, shop, now)
        for number, text in enumerate([*asked, asked[0]]):
            await faq.remember_unanswered(ctx, await _customer(ctx, number % 4), text)
        topics = await unanswered.open_topics(ctx, limit=9)
    assert [(topic.count, topic.people) for topic in topics] == [(4, 3), (1, 1)]


async def test_admins_hear_once_a_day_of_open_questions(database: Database, shop: Shop, now: datetime) -> None:
    for day in range(2):
        async with database.write() as session:
            ctx = Context(session, shop, now + timedelta(days=day))
            for number in range(3):
                await faq.remember_unanswered(ctx, await _customer(ctx, number), f"ada kantin {number}?")
    assert len(await letters(database, kind="staff")) == 2


async def test_an_answer_waits_for_the_contact_hours(database: Database, shop: Shop, now: datetime) -> None:
    """Only who is still in the chat, or waits for a person, gets it at night."""
    night = now + timedelta(hours=15)
    async with database.write() as session:
        ctx = Context(session, shop, night)
        for number, seen in enumerate((timedelta(hours=5), timedelta(minutes=10))):
            contact = await _customer(ctx, number)
            contact.last_seen_at = night - seen
            await unanswered.remember(ctx, contact, "kantin", "ada kantin?")
        assert await unanswered.learn(ctx, "kantin", "Ada Kak", by="Ibu Rina") == 2
        assert await unanswered.learn(ctx, "kantin", "Ada Kak", by="Ibu Rina") == 0
    async with database.read() as session:
        due = (await session.execute(select(func.count()).select_from(Unanswered))).scalar_one()
        assert due == 0
    texts = await letters(database, kind="notice")
    assert len(texts) == 2
    assert all("ada kantin?" in text and "Ada Kak" in text for text in texts.values())
    soon, later = await _due(database)
    assert soon == night
    assert shop.local(later).hour == 8


async def _due(database: Database) -> list[datetime]:
    from core.db.tables import Outbox

    async with database.read() as session:
        return list(await session.scalars(select(Outbox.due_at).where(Outbox.kind == "notice").order_by(Outbox.due_at)))


async def _customer(ctx: Context, number: int) -> Contact:
    contact, _, _ = await contacts.find_or_create(
        ctx.session, "telegram", f"90{number}", phone=None, language="id", now=ctx.now
    )
    return contact
