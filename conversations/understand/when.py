"""When somebody wants to come: the pieces that `days` and `clock` find in a line, put together.

    "minggu depan senin jam 9 pagi"  →  Ahead(weeks=1) · Weekday(0) · Clock(9:00) · morning  →  30 November, 09:00

Of several days that aren't excluded (`polarity`) the most definite one is taken; if they disagree, it is ambiguous.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TypeVar

from conversations.understand.clock import Clock, ClockPiece, PartOfDay, clock_at, half_to, resolve
from conversations.understand.days import (
    WEEKDAYS,
    Ahead,
    Certainty,
    Day,
    DayOfMonth,
    DayPiece,
    Duration,
    Past,
    Weekday,
    Weekend,
    day_at,
    in_month,
    on_weekday,
)
from conversations.understand.numbers import with_digits, without_amounts
from conversations.understand.polarity import rejected
from conversations.understand.said import Said
from conversations.understand.spelling import Line, Span, matches, number_at, replace, span, text_at, tokenise
from core.shop import Shop

REPLACED = frozenset({"dari", "from"})
PREFERRED = frozenset({"ke", "jadi", "eh", "ralat", "maksud", "salah", "sorry"})
UNTIL = frozenset({"sampai", "hingga", "-"})
UNITS = frozenset({"hari", "minggu", "pekan", "bulan", "tahun", "jam", "menit"})
AFTER_A_BARE_HOUR = frozenset({"", "kak", "bisa", "ya", "saja", "an", "?", ",", "."})
CLAUSE_ENDS = frozenset({",", ".", "?", "!", "sekarang", "tapi"})
MAX_HOURS_AHEAD = 24
_TAGS: dict[type, str] = {Clock: "<time>", PartOfDay: "<part_of_day>", Past: "<past>", Duration: "<amount>"}
A_WEEK = [date(2026, 1, 5) + timedelta(days=ahead) for ahead in range(7)]


@dataclass(frozen=True, slots=True)
class When:
    """A day, a time or a part of the day, as far as named; never a time and a part of the day."""

    day: date | None = None
    time: dt.time | None = None
    part_of_day: PartOfDay | None = None
    ambiguous: bool = False
    """Another day could be meant: ask."""
    faint: bool = False
    """The day was only "sekarang" or "nanti"."""
    days: tuple[date, ...] = field(default=(), compare=False)
    """All days that could be meant, if several."""

    def __bool__(self) -> bool:
        return bool(self.day or self.time or self.part_of_day)


Piece = DayPiece | ClockPiece
_P = TypeVar("_P", Clock, PartOfDay)


@dataclass(frozen=True, slots=True)
class PieceAt:
    piece: Piece
    start: int
    end: int
    before: str
    """The word before it."""
    span: Span

    @property
    def tag(self) -> str:
        return _TAGS.get(type(self.piece), "<day>")


def read_when(text: str, now: datetime, shop: Shop) -> When | None:
    """The day and time that a text names, in the workshop's zone; None if it names none that exists."""
    line = without_amounts(with_digits(tokenise(text)))
    said, tagged = take_when(line, now, shop)
    out = rejected(tagged)
    return when_of([each for each in said if each.span[0] not in out], line, now, shop) or None


def take_when(line: Line, now: datetime, shop: Shop) -> tuple[Sequence[PieceAt], Line]:
    """What a line says of days and times, and the line with <day>, <time>, <part_of_day> in their place."""
    said = list(_with_past(_scan(line, shop.local(now)), line))
    for each in reversed(said):
        line = replace(line, each.start, each.end, each.tag)
    return said, line


def when_of(said: Sequence[PieceAt], line: Line, now: datetime, shop: Shop) -> When:
    """The day and time that the pieces name together; `line` is the one they were found in."""
    day = _day(said, line, shop.local(now).date(), shop)
    clock = _first(said, Clock)
    part = _first(said, PartOfDay)
    hours = _hours(shop, day.day if day else None)
    return When(
        day=day.day if day else None,
        time=resolve(clock, part, hours) if clock else None,
        part_of_day=part if clock is None else None,
        ambiguous=bool(day and day.day and day.ambiguous),
        faint=bool(day and day.certainty is Certainty.FAINT),
        days=tuple(sorted({day.day, day.other})) if day and day.day and day.other else (),
    )


def values_of(said: Sequence[PieceAt], now: datetime, shop: Shop) -> list[Said]:
    """Each day, time and part of the day among the pieces, by its own words."""
    ahead = next((each.piece for each in said if isinstance(each.piece, Ahead)), Ahead())
    today = shop.local(now).date()
    return [found for each in said for found in _values(each, ahead, today, shop)]


def _values(each: PieceAt, ahead: Ahead, today: date, shop: Shop) -> Iterator[Said]:
    if isinstance(each.piece, Weekend):
        saturday = on_weekday(Weekday(5, ahead.weeks), today)
        yield from (Said("date", (saturday + timedelta(days=more)).isoformat(), each.span) for more in (0, 1))
    elif said := _value(each, ahead, today, shop):
        yield said


def _value(each: PieceAt, ahead: Ahead, today: date, shop: Shop) -> Said | None:
    match each.piece:
        case PartOfDay():
            return Said("part_of_day", each.piece.value, each.span)
        case Clock():
            at = resolve(each.piece, None, _hours(shop, None))
            return Said("time", f"{at:%H:%M}", each.span) if at else None
        case Ahead(day=date() as day):
            return Said("date", day.isoformat(), each.span)
        case _:
            dated = _dated(each.piece, ahead, today, shop)
            return Said("date", dated.day.isoformat(), each.span) if dated and dated.day else None


def bare_day(number: int, now: datetime, shop: Shop) -> date | None:
    """The day that "10" means as an answer to "which day?"."""
    return in_month(number, shop.local(now).date(), None) if 1 <= number <= 31 else None


def bare_time(number: int, shop: Shop) -> dt.time | None:
    """The time that "10" means as an answer to "at what time?"."""
    if not 1 <= number <= 23:
        return None
    return resolve(Clock(number * 60, fixed=number > 12), None, _hours(shop, None))


def _scan(line: Line, now: datetime) -> Iterator[PieceAt]:
    at = 0
    last: PieceAt | None = None
    while at < len(line):
        start = at
        for piece, end in _pieces(line, at, now, last):
            last = PieceAt(piece, start, end, text_at(line, at - 1), span(line, at, end))
            start = end  # the second of two pieces takes no words
            yield last
        at = start if start > at else at + 1


def _with_past(said: Iterable[PieceAt], line: Line) -> Iterator[PieceAt]:
    """Pieces that belong to something past become `Past` too: "tadi pagi", "kemarin saya transfer jam 10"."""
    past_until = 0
    for each in said:
        if isinstance(each.piece, Clock) and each.before == "sebelum":
            yield changed(each, piece=_before(each.piece))
            continue
        if isinstance(each.piece, Past):
            past_until = next((at for at in range(each.end, len(line)) if matches(line, at, CLAUSE_ENDS)), len(line))
        elif isinstance(each.piece, DayPiece):
            past_until = 0
        elif each.start < past_until:
            yield changed(each, piece=Past())
            continue
        yield each


def _before(clock: Clock) -> PartOfDay:
    """The part of the day that "sebelum jam 12" means."""
    hour = (clock.minutes or 0) // 60
    if 4 <= hour <= 12:
        return PartOfDay.MORNING
    return PartOfDay.NOON if hour in (1, 2, 3, 13, 14, 15) else PartOfDay.AFTERNOON


def _pieces(line: Line, at: int, now: datetime, last: PieceAt | None) -> list[tuple[Piece, int]]:
    """What begins at this place; two pieces for "sore ini" and "2 jam lagi"."""
    today = now.date()
    if ahead := _hours_ahead(line, at, now):
        return ahead
    if half := half_to(line, at):
        return [half]  # "1/2 3" is no first of February
    if matches(line, at, "malam", WEEKDAYS) and (
        text_at(line, at + 1) == "minggu" or not isinstance(_piece(last, at), Clock)
    ):
        eve = Weekday((WEEKDAYS[text_at(line, at + 1)] - 1) % 7)
        return [(eve, at + 2), (PartOfDay.EVENING, at + 2)]  # "malam minggu" is Saturday evening
    if found := day_at(line, at, today):
        return [found]
    if timed := clock_at(line, at):
        piece, end = timed
        if isinstance(piece, PartOfDay) and matches(line, end, "ini"):
            return [(piece, end + 1), (Day(today, Certainty.RELATED), end + 1)]
        return [timed]
    if matches(line, at, {"nanti", "this"}) and clock_at(line, at + 1):
        return [(Day(today, Certainty.FAINT if matches(line, at, "nanti") else Certainty.RELATED), at + 1)]
    if (number := number_at(line, at)) is not None:
        if _is_bare_hour(line, at, last):
            return [(Clock(number * 60), at + 1)]
        if number < 1000 and matches(line, at + 1, UNITS):  # "2020 hari minggu" is a year and a Sunday
            return [(Duration(), at + 2)]
    return []


def _piece(last: PieceAt | None, at: int) -> Piece | None:
    """The piece that ends right at a place."""
    return last.piece if last and last.end == at else None


def _hours_ahead(line: Line, at: int, now: datetime) -> list[tuple[Piece, int]]:
    """ "2 jam lagi", "sejam lagi", "in 2 hours"."""
    led = matches(line, at, {"in", "dalam"})
    count = 1 if matches(line, at + led, {"sejam", "an"}) else number_at(line, at + led)
    end = at + led + 1 + (not matches(line, at + led, "sejam"))
    if count is None or count > MAX_HOURS_AHEAD or text_at(line, end - 1) not in {"jam", "sejam"}:
        return []
    if not (led or matches(line, end, "lagi")):
        return []
    then = now + timedelta(hours=count)
    end += not led
    return [(Day(then.date(), Certainty.RELATED), end), (Clock(then.hour * 60 + then.minute, fixed=True), end)]


def _is_bare_hour(line: Line, at: int, last: PieceAt | None) -> bool:
    """Whether a number right after "besok" is the hour: "bsk 10 bisa?"."""
    day = _piece(last, at)
    follows = isinstance(day, Day) and day.certainty is Certainty.RELATED
    return follows and 1 <= (number_at(line, at) or 0) <= 23 and text_at(line, at + 1) in AFTER_A_BARE_HOUR


def _day(said: Sequence[PieceAt], line: Line, today: date, shop: Shop) -> Day | None:
    ahead = next((each.piece for each in said if isinstance(each.piece, Ahead)), Ahead())
    days = [changed(each, piece=day) for each in said if (day := _dated(each.piece, ahead, today, shop)) is not None]
    if any(text_at(line, a.end) in UNTIL and b.start == a.end + 1 for a, b in pairwise(days)):
        return None  # "senin sampai jumat" names no day
    if not days and ahead.day:
        return Day(ahead.day, Certainty.RELATED)
    # The most definite day, the first of equals; ambiguous unless all agree.
    pieces = [each.piece for each in _preferred(days) if isinstance(each.piece, Day)]
    if not pieces:
        return None
    best = max(pieces, key=lambda piece: piece.certainty)
    rivals = {piece.day for piece in pieces if piece.certainty is not Certainty.FAINT} - {best.day}
    other = next((day for day in sorted(filter(None, rivals))), best.other)
    return Day(best.day, best.certainty, ambiguous=best.ambiguous or bool(rivals), other=other)


def _dated(piece: Piece, ahead: Ahead, today: date, shop: Shop) -> Day | None:
    """The day of a piece, moved by the weeks or months ahead beside it."""
    match piece:
        case Day():
            return piece
        case Weekday(number, weeks):
            near = on_weekday(Weekday(number), today)
            far = on_weekday(Weekday(number, ahead.weeks if weeks is None else weeks), today)
            # "jumat depan" means next week to most people, this week to some.
            is_ambiguous = weeks is not None and near != far
            return Day(far, Certainty.WEEKDAY, is_ambiguous, other=near if is_ambiguous else None)
        case Weekend():
            saturday = on_weekday(Weekday(5, ahead.weeks), today)
            two_days = all(shop.weekly_hours(day) for day in A_WEEK[5:])
            return Day(saturday, Certainty.WEEKDAY, two_days, other=saturday + timedelta(days=1) if two_days else None)
        case DayOfMonth(number):
            return Day(in_month(number, today, ahead.months), Certainty.DATE)
    return None


def _first(said: Sequence[PieceAt], kind: type[_P]) -> _P | None:
    pieces = (each.piece for each in _preferred([each for each in said if isinstance(each.piece, kind)]))
    return next((piece for piece in pieces if isinstance(piece, kind)), None)


def _preferred(said: Sequence[PieceAt]) -> Sequence[PieceAt]:
    """The pieces that count: rather what is preferred, "dari rabu ke jumat"."""
    wanted = [each for each in said if each.before not in REPLACED] or said
    return [each for each in wanted if each.before in PREFERRED] or wanted


def _hours(shop: Shop, day: date | None) -> tuple[dt.time, dt.time]:
    """The opening hours of that day, or the widest of the week."""
    if day and (hours := shop.weekly_hours(day)):
        return hours
    week = [hours for hours in map(shop.weekly_hours, A_WEEK) if hours]
    return min(opens for opens, _ in week), max(closes for _, closes in week)
