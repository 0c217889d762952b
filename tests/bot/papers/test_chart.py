"""The week's chart: bars and figures for any week."""

import io
from datetime import UTC, date, datetime, timedelta

import pytest
from PIL import Image

from bot.papers import chart
from bot.papers.chart import RED
from bot.papers.sheet import ACCENT, GREEN, SHADE
from conversations.texts import money_in_short
from core.reports.overview import DayFigures

MONDAY = date(2026, 11, 23)
THURSDAY = datetime(2026, 11, 26, 16, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "indonesian", "english"),
    [
        (0, "Rp0", "Rp0"),
        (999, "Rp999", "Rp999"),
        (850_000, "Rp850 rb", "Rp850K"),
        (999_499, "Rp999 rb", "Rp999K"),
        (999_999, "Rp1 jt", "Rp1M"),  # never "1000 rb"
        (1_200_000, "Rp1,2 jt", "Rp1.2M"),
        (12_500_000, "Rp12,5 jt", "Rp12.5M"),
        (125_400_000, "Rp125 jt", "Rp125M"),  # three digits say enough
        (1_200_000_000, "Rp1,2 M", "Rp1.2B"),  # miliar
        (2_500_000_000_000, "Rp2,5 T", "Rp2.5T"),
        (-1_200_000, "−Rp1,2 jt", "−Rp1.2M"),
    ],
)
def test_short_amounts_fit_on_a_bar(amount: int, indonesian: str, english: str) -> None:
    assert money_in_short(amount, "id").replace("\N{NO-BREAK SPACE}", " ") == indonesian
    assert money_in_short(amount, "en") == english


@pytest.mark.parametrize(
    ("bookings", "revenue", "bars"),
    [
        ([0] * 7, [0] * 7, (0, 0, 0)),  # nothing happened
        ([5, 8, 0, 6, 4, 9, 0], [1, 0, 0, 12_500_000, 850_000, 0, 0], (5, 3, 0)),  # a small value still shows
        ([0, 0, 300, 0, 0, 0, 1], [9_999_000_000_000, 1, 0, 0, 0, 0, 0], (2, 2, 0)),  # even beside a huge one
        ([1, 0, 0, 0, 0, 0, 0], [-500_000, 250_000, 0, 0, -1, 0, 0], (1, 1, 2)),  # money went back
        ([0] * 7, [-1] * 7, (0, 0, 7)),  # nothing but that
    ],
)
def test_every_nonzero_day_has_a_bar(bookings: list[int], revenue: list[int], bars: tuple[int, int, int]) -> None:
    days = [
        DayFigures(MONDAY + timedelta(days=number), *figures)
        for number, figures in enumerate(zip(bookings, revenue, strict=True))
    ]
    for language in ("id", "en"):
        picture = _open(chart.png(days, at=THURSDAY, language=language))
        assert tuple(_columns_with(picture, colour) for colour in (ACCENT, GREEN, RED)) == bars


@pytest.mark.parametrize(
    ("at", "marked"),
    [
        (THURSDAY, 1),
        (THURSDAY + timedelta(days=7), 0),  # a past week
    ],
)
def test_today_is_marked(at: datetime, marked: int) -> None:
    days = [DayFigures(MONDAY + timedelta(days=number), 0, 0) for number in range(7)]
    assert _columns_with(_open(chart.png(days, at=at, language="id")), SHADE) == marked


async def test_chart_is_cached_for_a_minute() -> None:
    days = [DayFigures(MONDAY + timedelta(days=number), 0, 0) for number in range(7)]
    first = await chart.make(days, at=THURSDAY, language="id")
    assert await chart.make(days, at=THURSDAY + timedelta(seconds=59), language="id") == first
    assert await chart.make(days, at=THURSDAY + timedelta(minutes=1), language="id") != first
    days[3] = DayFigures(days[3].day, 1, 0)
    assert await chart.make(days, at=THURSDAY, language="id") != first


def _open(content: bytes) -> Image.Image:
    assert len(content) < 300_000  # at once on a phone
    picture = Image.open(io.BytesIO(content), formats=["PNG"])
    assert picture.mode == "RGB"  # what WhatsApp takes
    return picture


def _columns_with(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    """How many of the seven columns contain that colour."""
    middles = [round(chart.MARGIN + (number + 0.5) * chart.COLUMN) + 30 for number in range(7)]
    return sum(any(picture.getpixel((x, y)) == colour for y in range(picture.height)) for x in middles)
