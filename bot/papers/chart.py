"""The week as a picture for a phone: a bar a day for its bookings, and one for its money.

make ── a thread ──> png ── seven days, the moment ──> a head and two panels, drawn larger, then made smaller ──> bytes
"""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files

from babel.dates import format_date, format_interval
from PIL import Image, ImageDraw, ImageFont

from bot.papers.sheet import ACCENT, GREEN, HAIRLINE, INK, MUTED, SHADE, WHITE, Colour
from conversations.texts import money_in_short, render
from core.messaging.messages import say
from core.reports.overview import DayFigures

RED: Colour = (185, 28, 28)
"""Money that went back."""
WIDTH, HEIGHT, MARGIN = 1080, 1180, 56
PANELS = (190, 690)
"""Where they begin."""
PLOT = 250
"""The longest bar; with bars that go down, the longest of either way together."""
LEAST = 6
"""The shortest bar, beside however huge a one: something is not nothing."""
FIGURE = 46
"""The room for a figure at the end of a bar."""
BAR, COLUMN = 80, (WIDTH - 2 * MARGIN) / 7
FINE = 2
"""Drawn so many times larger: Pillow's shapes have hard edges."""

Corners = tuple[bool, bool, bool, bool]
ALL: Corners = (True, True, True, True)
UPPER: Corners = (True, True, False, False)
LOWER: Corners = (False, False, True, True)

_FONTS = files("bot.papers") / "fonts"


async def make(days: Sequence[DayFigures], *, at: datetime, language: str) -> bytes:
    """The picture, made off the event loop and remembered for the minute that it names: a link is asked for repeatedly."""
    minute = at.replace(second=0, microsecond=0)
    return await asyncio.to_thread(_remembered, tuple(days), minute, language)


def png(days: Sequence[DayFigures], *, at: datetime, language: str) -> bytes:
    """The picture of a week (a PNG) as it stands `at` a moment of the shop's own clock, whose day is marked.

    Takes about a fifth of a second: see `make`.
    """
    image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), WHITE)
    sheet = _Sheet(ImageDraw.Draw(image), days, at, language)
    _head(sheet)
    for top, series in zip(PANELS, (_bookings(days), _revenue(days, language)), strict=True):
        _panel(sheet, top, series)
    out = io.BytesIO()
    image.reduce(FINE).save(out, "PNG", optimize=True)
    return out.getvalue()


@lru_cache(maxsize=4)
def _remembered(days: tuple[DayFigures, ...], at: datetime, language: str) -> bytes:
    return png(days, at=at, language=language)


@dataclass(frozen=True, slots=True)
class _Series:
    """A number a day, how each is written, and their sum."""

    name: str
    values: Sequence[int]
    figures: Sequence[str]
    total: str
    colour: Colour


def _bookings(days: Sequence[DayFigures]) -> _Series:
    counts = [day.bookings for day in days]
    return _Series("bookings", counts, [str(count) for count in counts], str(sum(counts)), ACCENT)


def _revenue(days: Sequence[DayFigures], language: str) -> _Series:
    amounts = [day.revenue for day in days]
    figures = [money_in_short(amount, language) for amount in amounts]
    total = money_in_short(sum(amounts), language)
    # Under the sum nobody needs to read seven times that it is rupiah; so they can stand in larger letters.
    return _Series("revenue", amounts, [figure.replace("Rp", "") for figure in figures], total, GREEN)


class _Sheet:
    """What is drawn on, and what every part of it is drawn from."""

    def __init__(self, draw: ImageDraw.ImageDraw, days: Sequence[DayFigures], at: datetime, language: str) -> None:
        self.days, self.at, self.language = days, at, language
        self._draw = draw

    def text(self, key: str, **params: object) -> str:
        """A text of the picture, by the key behind `chart.`."""
        return render(say(f"chart.{key}", **params), self.language)

    def write(
        self, x: float, y: float, text: str, size: int, colour: Colour = INK, *, anchor: str, bold: bool = False
    ) -> None:
        """One line that stands on y, and begins (anchor "ls"), has its middle ("ms") or ends ("rs") at x."""
        name = "Inter-SemiBold.ttf" if bold else "Inter-Regular.ttf"
        font = ImageFont.truetype(str(_FONTS / name), size * FINE)
        self._draw.text((x * FINE, y * FINE), text, colour, font, anchor)

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        colour: Colour,
        *,
        radius: float = 0,
        rounded: Corners = ALL,
    ) -> None:
        """A filled rectangle."""
        sides = [FINE * side for side in (left, top, right, bottom)]
        self._draw.rounded_rectangle(sides, radius * FINE, colour, corners=rounded)


def _head(sheet: _Sheet) -> None:
    first, last = sheet.days[0].day, sheet.days[-1].day
    week = format_interval(first, last, "yMMMd", locale=sheet.language)
    sheet.write(MARGIN, 92, sheet.text("week", days=week), 50, bold=True, anchor="ls")
    sheet.write(MARGIN, 142, sheet.text("as_of", at=sheet.at), 30, MUTED, anchor="ls")


def _panel(sheet: _Sheet, top: float, series: _Series) -> None:
    """A headline with the week's sum, and a bar a day, up or down from one line."""
    sheet.write(MARGIN, top + 40, sheet.text(series.name), 36, bold=True, anchor="ls")
    sheet.write(WIDTH - MARGIN, top + 40, sheet.text("total", total=series.total), 36, bold=True, anchor="rs")
    high, low = max(0, *series.values), min(0, *series.values)
    room, reach = PLOT - FIGURE if low else PLOT, high - low or 1
    line = top + 80 + FIGURE + (room * high // reach if low else room)
    for number, value in enumerate(series.values):
        middle = MARGIN + (number + 0.5) * COLUMN
        _day(sheet, middle, top + 80, number)
        length = max(LEAST, abs(value) * room // reach) if value else 0
        _bar(sheet, middle, line, length if value >= 0 else -length, series.colour if value >= 0 else RED)
        _figure(sheet, middle, line - length - 14 if value >= 0 else line + length + 36, series.figures[number])
    sheet.box(MARGIN, line - 1, WIDTH - MARGIN, line + 1, HAIRLINE)


def _day(sheet: _Sheet, middle: float, top: float, number: int) -> None:
    """The day below its column; today's column stands on a shade."""
    day, bottom = sheet.days[number].day, top + FIGURE + PLOT
    is_today = day == sheet.at.date()
    if is_today:
        sheet.box(middle - COLUMN / 2 + 2, top - 10, middle + COLUMN / 2 - 2, bottom + 64, SHADE, radius=16)
    words = format_date(day, "EEE d", locale=sheet.language)
    sheet.write(middle, bottom + 45, words, 30, INK if is_today else MUTED, bold=is_today, anchor="ms")


def _bar(sheet: _Sheet, middle: float, line: float, length: float, colour: Colour) -> None:
    """A bar up from the line, or down by a length below zero, round at its end."""
    if length:
        top, bottom = sorted((line, line - length))
        ends = UPPER if length > 0 else LOWER
        sheet.box(
            middle - BAR / 2, top, middle + BAR / 2, bottom, colour, radius=min(10, abs(length) / 2), rounded=ends
        )


def _figure(sheet: _Sheet, middle: float, y: float, figure: str) -> None:
    is_nothing = figure == "0"
    sheet.write(middle, y, figure, 32, MUTED if is_nothing else INK, bold=not is_nothing, anchor="ms")
