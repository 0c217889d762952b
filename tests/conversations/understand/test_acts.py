"""The acts of a line: in its order, with the words that say them; a value is wanted or excluded, never both."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from demo_catalogue import DEMO
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import MONDAY_8_AM, make_shop

from conversations.understand import Understanding, understand
from conversations.understand.acts import Act
from conversations.understand.lexicon import Lexicon

SHOP = make_shop()
LEXICON = Lexicon.of(DEMO)


@pytest.fixture
def read() -> Callable[..., Understanding]:
    def reading(text: str, asked: str | None = None, now: datetime = MONDAY_8_AM) -> Understanding:
        return understand(text, LEXICON, now=SHOP.local(now), shop=SHOP, asked=asked)

    return reading


def test_acts_come_in_the_order_of_the_line(read: Callable[..., Understanding]) -> None:
    said = read("jumat ga bisa, sabtu jam 10 aja, garansinya berapa lama?")

    assert [(act.act, act.slot or act.topic, act.text) for act in said.acts] == [
        (Act.EXCLUDE, "date", "jumat ga bisa"),
        (Act.INFORM, "date", "sabtu"),
        (Act.INFORM, "time", "jam 10"),
        (Act.ASK, "warranty", "garansinya"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Jum'at JAM 10 ya 🙏", ["Jum'at", "JAM 10"]),
        ("😀 bésok pagi", ["bésok", "pagi"]),
        ("ke b@di.com besok", ["b@di.com", "besok"]),
        ("kalo jam dua belas gimana", ["jam dua belas"]),
    ],
)
def test_act_keeps_the_words_as_typed(read: Callable[..., Understanding], text: str, words: list[str]) -> None:
    assert [act.text for act in read(text).acts if act.act is Act.INFORM] == words


def test_word_that_no_act_used_stays_visible(read: Callable[..., Understanding]) -> None:
    assert read("besok jam 10 sekalian dicuci ya").rest == ("dicuci",)


def test_relative_day_counts_from_when_it_was_written(read: Callable[..., Understanding]) -> None:
    written = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)

    assert read("besok jam 10", now=written).answers == {"date": "2026-11-23", "time": "10:00"}


def test_all_compared_brands_are_named(read: Callable[..., Understanding]) -> None:
    assert read("bagusan venom atau pioneer?").every("attributes.brand") == ["Venom", "Pioneer"]


def test_replaced_value_is_a_correction(read: Callable[..., Understanding]) -> None:
    assert [(act.act, act.value) for act in read("eh selasa jam 10").acts] == [
        (Act.CORRECT, "2026-11-24"),
        (Act.CORRECT, "10:00"),
    ]


WORDS = [
    *(
        "jangan",
        "bukan",
        "selain",
        "ga",
        "ga bisa",
        "ga jadi",
        "kecuali",
        "tapi",
        ",",
        "aja",
        "atau",
        "sama",
        "penuh",
        "?",
    ),
    *(
        "senin",
        "jumat",
        "besok",
        "jam 10",
        "jam 2",
        "pagi",
        "agus",
        "dedi",
        "avanza",
        "xenia",
        "2018",
        "toyota",
        "venom",
    ),
    *(
        "jbl",
        "speaker",
        "kamera mundur",
        "di rumah",
        "ke bengkel",
        "qris",
        "gopay",
        "ganti",
        "pasang",
        "mau",
        "dari",
        "ke",
    ),
]


@settings(deadline=None)
@given(text=st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join))
def test_excluded_value_is_never_taken(text: str) -> None:
    said = understand(text, LEXICON, now=SHOP.local(MONDAY_8_AM), shop=SHOP)
    fields = said.answers | {"method": said.method, "attributes.brand": said.attributes.brand}

    assert not {slot for slot, value in fields.items() if value in said.excluded.get(slot, ())}
    assert set(said.excluded.get("categories", ())).isdisjoint(said.categories)
    assert set(said.excluded.get("parts", ())).isdisjoint(said.parts)
