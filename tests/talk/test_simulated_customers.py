"""A bounded part of `make talk`, and tests of the simulator itself: it must notice what goes wrong."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random  # noqa: TID251 seeded

import pytest
from consistency import has_draft
from databases import Sqlite
from judging import complaints
from people import EVERYBODY
from people_who_book import ONE_LINE, PLAIN
from persona import End, Habit, Wish
from screen import Screen
from simulation import Result, play
from stage import Books
from voice import Voice, date_of

from bot.sandbox.phones import Bubble, Button, Item, Menu
from core.db.tables import Booking, BookingLine
from core.shop import Shop
from core.states import BookingStatus, Location, PaymentMethod, PaymentStatus

SEED = 7
SOME = (
    ONE_LINE.name,
    PLAIN.name,
    "only taps",
    "in English, one line",
    "in bursts",
    "another day, with the hour",
    "questions in between",
    "own parts",
    "others take the place first",
    "moves",
    "cancels",
)
"""Those that `make test` plays; all of them are played by `make talk`."""


async def test_some_customers_get_what_they_want(sqlite: Sqlite, tmp_path: Path) -> None:
    stories = [
        await play(persona, number, seed=SEED, database_url=sqlite.put_back("stocked"), folder=tmp_path)
        for number, persona in enumerate(EVERYBODY)
        if persona.name in SOME
    ]
    result = Result(stories)
    assert len(stories) == len(SOME)
    assert not result.lost_drafts
    assert not result.apologies
    assert not [(story.persona.name, story.complaints) for story in stories if story.complaints]


async def test_the_same_seed_plays_the_same_conversation(sqlite: Sqlite, tmp_path: Path) -> None:
    persona = replace(ONE_LINE, habits=frozenset({Habit.TYPOS, Habit.SHORT}))
    said = [
        (await play(persona, 0, seed=SEED, database_url=sqlite.put_back("stocked"), folder=tmp_path)).lines
        for _ in range(2)
    ]
    assert said[0] == said[1]


def test_there_are_at_least_sixty_personas() -> None:
    assert len(EVERYBODY) >= 60
    assert {habit for persona in EVERYBODY for habit in persona.habits} == set(Habit)
    assert {persona.end for persona in EVERYBODY} == set(End)


# --- what a person reads on the screen --------------------------------------------------------------

AT = datetime(2026, 11, 23, 1, tzinfo=UTC)


def bubble(text: str, *titles: str, **more: object) -> Bubble:
    buttons = tuple((Button(title, title, "callback"),) for title in titles)
    return Bubble("1", "shop", AT, "text", text, text, buttons=buttons, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "titles", "question"),
    [
        ("Mau tanggal berapa, Kak?", (), "day"),
        ("Senin ✓\nMau jam berapa, Kak?", ("09:00", "10:00"), "hour"),
        ("Yang mana enaknya?", ("09:00", "sisa 2"), "hour"),
        ("Avanza tahun berapa, Kak?", (), "year"),
        ("Ringkasan\nTotal: Rp100", ("Bayar penuh", "DP 30%", "Ubah"), "plan"),
        ("Ringkasan booking\n🔖 -", ("Lanjut bayar", "Ubah", "Batal"), "summary"),
        ("What time suits you?", (), "hour"),
        ("Baik, Kak.", (), None),
        ("Booking BK-1 sudah terkonfirmasi.\nPlat: B 1 XY", (), None),
    ],
)
def test_a_question_is_known_by_its_words_or_options(text: str, titles: tuple[str, ...], question: str | None) -> None:
    assert Screen([bubble(text, *titles)]).question == question


def test_options_are_buttons_list_entries_or_numbered_lines() -> None:
    entries = Menu("Pilih", (Item("a", "Speaker", "Rp100"), Item("b", "Kabel", None)))
    assert [option.text for option in Screen([bubble("?", menu=entries)]).options] == ["Speaker Rp100", "Kabel"]
    assert [option.number for option in Screen([bubble("Pilih:\n1. Satu\n2. Dua")]).options] == [1, 2]
    priced = Screen([bubble("Mau yang mana?\n• JBL: Rp100", "JBL")])
    assert priced.options[0].text == "JBL: Rp100"


def test_a_voice_gets_plainer_when_asked_again() -> None:
    voice, wish = Voice(frozenset({Habit.POLITE}), Random(SEED)), Wish(day="rabu")
    assert voice.answer("day", wish, asked=1) != "rabu"
    assert voice.answer("day", wish, asked=2) == "25 november"
    assert str(date_of("senin")) == "2026-11-30"


# --- what is judged ---------------------------------------------------------------------------------


def booking(shop: Shop, **changes: object) -> Booking:
    """Speakers for the Avanza on Wednesday at ten, paid."""
    starts_at = datetime(2026, 11, 25, 10, tzinfo=shop.zone)
    values = {
        "code": "BK-1", "name": "Budi Santoso", "car_brand": "Toyota", "car_model": "Avanza", "car_year": 2018,
        "starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1), "technician_id": None,
        "status": BookingStatus.CONFIRMED, "payment_status": PaymentStatus.PAID, "location": Location.WORKSHOP,
        "payment_method": PaymentMethod.QRIS, "total_price": 100, "paid_amount": 100, "holding": True,
    }  # fmt: skip
    made = Booking(**values | changes)
    made.lines = [
        BookingLine(part_id="jbl-stage3-627f", quantity=1, total=764_100, name="JBL"),
        BookingLine(service_id="pasang-speaker", quantity=1, total=150_000, name="Pasang"),
    ]
    return made


WISH = Wish(parts=["jbl-stage3-627f"])


def judged(shop: Shop, made: Booking, wish: Wish = WISH, **changes: object) -> list[str]:
    return complaints(replace(ONE_LINE, **changes), wish, Books([made], [], 0, ["Booking baru"], 0, None), shop)


def test_what_was_wanted_is_no_complaint(shop: Shop) -> None:
    assert not judged(shop, booking(shop))


@pytest.mark.parametrize(
    ("made", "wish", "changes", "complaint"),
    [
        ({"car_model": "Xenia"}, WISH, {}, "car Toyota Xenia"),
        ({}, replace(WISH, day="kamis"), {}, "day Wednesday"),
        ({}, replace(WISH, hour=11), {}, "hour 10:00"),
        ({}, replace(WISH, parts=["ads-ad-6200"]), {}, "part ads-ad-6200 is missing"),
        ({}, replace(WISH, count=2), {}, "1 of jbl"),
        ({}, replace(WISH, parts=["speaker"], at_most=500_000), {}, "above the budget"),
        ({}, replace(WISH, parts_only=True), {}, "services that weren't wanted"),
        ({}, replace(WISH, technician="dedi"), {}, "technician None"),
        ({"technician_id": "agus"}, replace(WISH, without="agus"), {}, "agus isn't wanted"),
        ({}, replace(WISH, address="Jl. Kemang Raya 8"), {}, "place workshop"),
        ({"payment_status": PaymentStatus.PENDING}, WISH, {}, "payment pending"),
        ({}, replace(WISH, pay="30"), {}, "down payment of None %"),
        ({"status": BookingStatus.CANCELLED}, WISH, {}, "0 bookings"),
        ({}, WISH, {"end": End.CANCELLED}, "no booking was cancelled"),
        ({}, WISH, {"end": End.NOTHING}, "something was booked"),
        ({}, WISH, {"staff_hear": ["kresek"]}, "staff never read"),
        ({}, WISH, {"staff_see_a_photo": True}, "staff never saw"),
        ({}, WISH, {"also": [Wish(car="Brio 2021")]}, "1 bookings instead of 2"),
    ],
)
def test_what_is_wrong_is_a_complaint(
    shop: Shop, made: dict[str, object], wish: Wish, changes: dict[str, object], complaint: str
) -> None:
    found = judged(shop, booking(shop, **made), wish, **changes)
    assert any(complaint in each for each in found), found


def test_a_draft_is_open_answers_of_a_booking() -> None:
    assert has_draft({"flow": "booking", "answers": [["brand", "Toyota"]]})
    assert has_draft({"flow": "move", "parked": {"answers": [["brand", "Toyota"]]}})
    assert not has_draft({"flow": None, "answers": []})
    assert not has_draft({"flow": "move", "answers": [["date", "2026-11-25"]]})
