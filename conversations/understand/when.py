"""When somebody wants to come: the pieces that `days` and `clock` find in a line, put together.

    "minggu depan senin jam 9 pagi"  →  Week(1) · Weekday(senin) · Clock(9:00) · morning  →  When(30 November, 09:00)
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from conversations.understand import numbers
from conversations.understand.clock import Clock, ClockPiece, PartOfDay, clock_at, resolve
from conversations.understand.days import (
    RELATED,
    Day,
    DayOfMonth,
    DayPiece,
    Week,
    Weekday,
    Weekend,
    day_at,
    in_month,
    on_weekday,
)
from conversations.understand.numbers import LENGTHS, number_at, text_at
from conversations.understand.spelling import Line, replace, tokenise
from core.shop import Shop


@dataclass(frozen=True, slots=True)
class When:
    """A day, a time, a part of the day, or some of them; `ambiguous`: the day could be another, too."""

    day: date | None = None
    time: dt.time | None = None
    part_of_day: PartOfDay | None = None
    ambiguous: bool = False
    faint: bool = False
    """The day is only a "sekarang", which in most lines isn't about an appointment."""

    def __bool__(self) -> bool:
        return bool(self.day or self.time or self.part_of_day)


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of a when, with the words around it."""

    piece: DayPiece | ClockPiece
    before: str
    start: int
    end: int


def read_when(text: str, now: datetime, shop: Shop) -> When | None:
    """The day and time that a text names, in the workshop's zone; None where it names none that exists."""
    line = numbers.without_amounts(numbers.with_digits(tokenise(text)))
    when, _ = take_when(line, shop.local(now), shop)
    return when or None


def take_when(line: Line, now: datetime, shop: Shop) -> tuple[When, Line]:
    """What a line says about day and time, and the line with <day>, <time>, <part_of_day> in place of it."""
    said, rest = _scan(line, now)
    today = now.date()
    day = _day(said, line, today, shop)
    clock = _chosen([each for each in said if isinstance(each.piece, Clock)])
    parts = [each.piece for each in said if isinstance(each.piece, PartOfDay)]
    part = parts[0] if parts else None
    moment = resolve(clock.piece, part, _hours(shop, day.day if day else None)) if clock and isinstance(clock.piece, Clock) else None
    when = When(
        day=day.day if day else None,
        time=moment,
        part_of_day=part if clock is None else None,
        ambiguous=bool(day and day.day and day.ambiguous),
        faint=bool(day and day.rank < RELATED),
    )
    return when, rest


def _scan(line: Line, now: datetime) -> tuple[list[Said], Line]:
    """Every piece from left to right, and the line with tags in their place."""
    said: list[Said] = []
    tags: list[tuple[int, int, str]] = []
    at = 0
    while at < len(line):
        found = _piece(line, at, now)
        if found is None:
            at += 1
            continue
        piece, end, tag = found
        said.append(Said(piece, text_at(line, at - 1), at, end))
        tags.append((at, end, tag))
        at = end
    for start, end, tag in reversed(tags):
        line = replace(line, start, end, tag)
    return said, line


def _piece(line: Line, at: int, now: datetime) -> tuple[DayPiece | ClockPiece, int, str] | None:
    if found := _hours_ahead(line, at, now):
        return found
    if day := day_at(line, at, now.date()):
        piece, end = day
        if piece is None:
            # "tadi pagi", "kemarin jam 10": the time of what is told isn't wanted, either.
            while clock := clock_at(line, end):
                end = clock[1]
            return None, end, "<past>"
        return piece, end, "<day>"
    if text_at(line, at) == "nanti" and (clock_at(line, at + 1)):
        return Day(now.date(), RELATED - 1), at + 1, "<day>"
    if clock := clock_at(line, at):
        piece_, end = clock
        if isinstance(piece_, PartOfDay) and text_at(line, end) == "ini":
            return Both(piece_, now.date()), end + 1, "<day>"  # type: ignore[return-value]
        return piece_, end, "<time>" if isinstance(piece_, Clock) else "<part_of_day>"
    if number_at(line, at) is not None and text_at(line, at + 1) in LENGTHS:
        return None, at + 2, "<amount>"
    return None


@dataclass(frozen=True, slots=True)
class Both:
    part: PartOfDay
    day: date


def _hours_ahead(line: Line, at: int, now: datetime) -> tuple[DayPiece | ClockPiece, int, str] | None:
    return None


def _day(said: Sequence[Said], line: Line, today: date, shop: Shop) -> Day | None:
    """The day that all that was said comes down to."""
    week = next((each.piece for each in said if isinstance(each.piece, Week)), None)
    days = [
        Said(_dated(each.piece, week, today, shop), each.before, each.start, each.end)
        for each in said
        if isinstance(each.piece, Day | Weekday | Weekend | DayOfMonth)
    ]
    if _is_range(days, line):
        return None
    chosen = _chosen(days)
    if chosen is None or not isinstance(chosen.piece, Day):
        return None
    return chosen.piece


def _dated(piece: DayPiece | ClockPiece, week: Week | None, today: date, shop: Shop) -> Day | None:
    match piece:
        case Day():
            return piece
        case Weekday(number, weeks):
            ahead = weeks if weeks is not None else week.weeks if week and not week.months else None
            near = on_weekday(Weekday(number), today)
            far = on_weekday(Weekday(number, ahead), today)
            return Day(far.day, far.rank, ambiguous=weeks is not None and near.day != far.day)
        case Weekend():
            saturday = on_weekday(Weekday(5, week.weeks if week else None), today)
            both = shop.weekly_hours(date(2026, 11, 28)) and shop.weekly_hours(date(2026, 11, 29))
            return Day(saturday.day, saturday.rank, ambiguous=bool(both))
        case DayOfMonth(number):
            return in_month(number, today, week.months if week and week.months else None)
    return None


def _chosen(said: Sequence[Said]) -> Said | None:
    """The one meant of several: not what is turned down ("jangan besok"), rather what is turned to ("ke rabu")."""
    wanted = [each for each in said if each.before not in {"jangan", "bukan", "dari", "from"}] or list(said)
    turned_to = [each for each in wanted if each.before in {"ke", "jadi"}]
    best = turned_to or wanted
    if not best:
        return None
    first = best[0]
    if not isinstance(first.piece, Day):
        return first
    days = [each for each in best if isinstance(each.piece, Day)]
    top = max(days, key=lambda each: each.piece.rank)
    others = {each.piece.day for each in days if each.piece.rank >= RELATED}
    if len(others) > 1:
        return Said(Day(top.piece.day, top.piece.rank, ambiguous=True), top.before, top.start, top.end)
    return top


def _is_range(days: Sequence[Said], line: Line) -> bool:
    """ "senin sampai jumat": hours are asked, no day is named."""
    return any(
        text_at(line, first.end) in {"sampai", "-", "hingga"} and second.start == first.end + 1
        for first, second in zip(days, days[1:], strict=False)
    )


def _hours(shop: Shop, day: date | None) -> tuple[dt.time, dt.time]:
    """The opening hours of that day, or the week's widest."""
    if day and (hours := shop.weekly_hours(day)):
        return hours
    week = [shop.weekly_hours(date(2026, 1, 5) + timedelta(days=ahead)) for ahead in range(7)]
    open_days = [hours for hours in week if hours]
    return min(opens for opens, _ in open_days), max(closes for _, closes in open_days)
