"""Days as people say them: one small rule a way, each looking at the words from one place on.

    besok · lusa · 3 hari lagi · sabtu · senin depan · minggu depan … senin · tgl 28 · 5 desember · 12/12 · 05-12-2026
"""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from conversations.understand.numbers import number_at, text_at
from conversations.understand.spelling import Line

WEEKDAYS = {"senin": 0, "selasa": 1, "rabu": 2, "kamis": 3, "jumat": 4, "sabtu": 5, "minggu": 6}
MONTHS = {
    name: number
    for number, name in enumerate(
        "januari februari maret april mei juni juli agustus september oktober november desember".split(), start=1
    )
}
RELATIVE = {"besok": 1, "lusa": 2}
NEXT = {"depan", "next"}
PAST = {"kemarin", "tadi", "lalu", "last", "semalam", "ago", "yesterday"}
HALF_A_YEAR = timedelta(days=183)


@dataclass(frozen=True, slots=True)
class Day:
    """A day that was said; `rank` orders the ways of saying it by how little they leave open."""

    day: date | None
    """None: it was said, but there is no such day, or it is gone for good."""
    rank: int
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Weekday:
    """A weekday, and how many weeks ahead where that was said."""

    number: int
    weeks: int | None = None


@dataclass(frozen=True, slots=True)
class Week:
    """A week (or month) ahead without a day: it moves the weekday (or day of the month) named beside it."""

    weeks: int = 0
    months: int = 0


@dataclass(frozen=True, slots=True)
class DayOfMonth:
    """A day of a month that wasn't said."""

    number: int


@dataclass(frozen=True, slots=True)
class Weekend:
    """Saturday or Sunday."""


DayPiece = Day | Weekday | Weekend | DayOfMonth | Week | None
"""None: words about days that name none, such as "2 minggu" or "kemarin"."""

DATE, WEEKDAY, RELATED, FAINT = 3, 2, 1, 0


def day_at(line: Line, at: int, today: date) -> tuple[DayPiece, int] | None:
    """What is said about the day at this place, and where it ends; None: nothing."""
    for rule in _RULES:
        if found := rule(line, at, today):
            return found
    return None


def on_weekday(weekday: Weekday, today: date) -> Day:
    """The next such day; with "depan" the one of next week, which some mean and some don't while this week's is ahead."""
    ahead = (weekday.number - today.weekday()) % 7 or 7
    if weekday.weeks is None:
        return Day(today + timedelta(days=ahead), WEEKDAY)
    monday = today - timedelta(days=today.weekday())
    return Day(monday + timedelta(days=7 * weekday.weeks + weekday.number), WEEKDAY)


def _past(line: Line, at: int, today: date) -> tuple[DayPiece, int] | None:
    """ "kemarin", "sabtu lalu", "2 minggu yang lalu", "last week": told, never booked."""
    end = at
    if text_at(line, at) in {"tiap", "setiap", "every", "per"} and text_at(line, at + 1) in {*WEEKDAYS, "hari"}:
        return None, at + 2
    if text_at(line, at) == "last" and text_at(line, at + 1) in {*WEEKDAYS, "pekan", "bulan"}:
        return None, at + 2
    if text_at(line, at) in {"kemarin", "tadi", "semalam"}:
        return None, at + 1
    end += number_at(line, end) is not None
    end += text_at(line, end) == "hari" and text_at(line, end + 1) in WEEKDAYS
    if text_at(line, end) in {*WEEKDAYS, "hari", "pekan", "bulan", "tahun", "jam"}:
        end += 1
        end += text_at(line, end) == "yang"
        if text_at(line, end) in PAST:
            return None, end + 1
    return None


def _today(line: Line, at: int, today: date) -> tuple[DayPiece, int] | None:
    words = text_at(line, at), text_at(line, at + 1)
    if words in {("hari", "ini"), ("ini", "hari")}:
        return Day(today, RELATED), at + 2
    if words[0] == "today":
        return Day(today, RELATED), at + 1
    if words[0] == "sekarang":
        return Day(today, FAINT), at + 1
    return None


def _related(line: Line, at: int, today: date) -> tuple[DayPiece, int] | None:
    word, following = text_at(line, at), text_at(line, at + 1)
    if (word, following) == ("besok", "lusa"):
        return Day(today + timedelta(days=2), RELATED), at + 2
    if word == "besok" and following in {"malam"} | {"pagi"}:
        return Day(today + timedelta(days=1), RELATED), at + 1
    if word == "hari" and following in RELATIVE:
        return Day(today + timedelta(days=RELATIVE[following]), RELATED), at + 2
    if word in RELATIVE:
        return Day(today + timedelta(days=RELATIVE[word]), RELATED), at + 1
    if [text_at(line, at + i) for i in range(4)] == ["the", "hari", "sesudah", "besok"]:
        return Day(today + timedelta(days=2), RELATED), at + 4
    if [text_at(line, at + i) for i in range(3)] == ["hari", "sesudah", "besok"]:
        return Day(today + timedelta(days=2), RELATED), at + 3
    return None


def _ahead(line: Line, at: int, today: date) -> tuple[DayPiece, int] | None:
    """ "3 hari lagi", "seminggu lagi", "in 3 days", "2 weeks from now"."""
    start = at + (text_at(line, at) in {"in", "dalam"})
    unit = text_at(line, start + 1)
    if text_at(line, start) == "seminggu":
        count, unit, end = 1, "minggu", start + 1
    elif (number := number_at(line, start)) is not None and unit in {"hari", "minggu", "pekan"}:
        count, end = number, start + 2
    elif text_at(line, start) == "a" and unit == "pekan":
        count, end = 1, start + 2
    else:
        return None
    if start == at and text_at(line, end) == "lagi":
        end += 1
    elif start == at and (text_at(line, end), text_at(line, end + 1)) in {("from", "sekarang"), ("dari", "sekarang")}:
        end += 2
    elif start == at:
        return None
    days = count if unit == "hari" else 7 * count
    return Day(_shifted(today, days), RELATED), end


def _weekend(line: Line, at: int, today: date) -> tuple[DayPiece, int] | None:
    if text_at(line, at) == "weekend":
        return Weekend(), at + 1
    if text_at(line, at) == "akhir" and text_at(line, at + 1) in {"pekan", "minggu"}:
        return Weekend(), at + 2
    return None


def _week(line: Line, at: int, today: date) -> tuple[DayPiece, int] | None:
    """ "minggu depan" is a week, but for "hari minggu depan"; "bulan depan", "next week" likewise."""
    first, second = text_at(line, at), text_at(line, at + 1)
    unit, other = (second, first) if first in NEXT | {"this"} else (first, second)
    if unit not in {"minggu", "pekan", "bulan"} or other not in NEXT | {"ini", "this"} or text_at(line, at - 1) == "hari":
        return None
    ahead = int(other in NEXT)
    return (Week(months=ahead) if unit == "bulan" else Week(weeks=ahead)), at + 2


def _weekday(line: Line, at: int, today: date) -> tuple[DayPiece, int] | None:
    """ "sabtu", "hari sabtu", "sabtu depan", "sabtu ini", "next saturday", "this saturday"."""
    start = at
    before = text_at(line, at)
    at += before in {"hari", "next", "this", "ini", "on", "coming"}
    at += text_at(line, at) == "hari"
    if text_at(line, at) not in WEEKDAYS:
        return None
    number, end = WEEKDAYS[text_at(line, at)], at + 1
    if text_at(line, end) == "pagi" or number_at(line, start - 1) is not None and start == at and number == 6:
        pass
    weeks = None
    if before == "next" or text_at(line, end) == "depan":
        weeks = 1
    end += text_at(line, end) in {"depan", "ini"}
    return Weekday(number, weeks), end


def _numeric(line: Line, at: int, today: date) -> tuple[DayPiece, int] | None:
    """ "5/12", "05-12-2026", "5.12.2026", day first; "2026-12-05"."""
    start = at
    led = text_at(line, at) == "tanggal"
    at += led
    first, second = number_at(line, at), number_at(line, at + 2)
    sign = text_at(line, at + 1)
    if first is None or second is None or sign not in {"/", "-", "."}:
        return None
    third = number_at(line, at + 4) if text_at(line, at + 3) == sign else None
    if third is not None:
        if first > 999:
            return Day(_real(first, second, third), DATE), at + 5
        return Day(_real(_century(third), second, first), DATE), at + 5
    if sign == "." or (first, second) == (24, 7):
        return None
    if sign == "-" and not (len(text_at(line, at)) == len(text_at(line, at + 2)) == 2 or (led and second > first)):
        return None
    if text_at(line, start - 1) in {"jam", "at"}:
        return None
    return Day(_coming(today, second, first), DATE), at + 3


def _named_month(line: Line, at: int, today: date) -> tuple[DayPiece, int] | None:
    """ "5 desember", "tgl 5 des 2026", "tgl 5 bulan 12", "december 5th", "the 5th of december"."""
    at_day = at
    while text_at(line, at_day) in {"tanggal", "the", "on"}:
        at_day += 1
    day, end = number_at(line, at_day), at_day + 1
    if day is not None:
        end += text_at(line, end) in {"th", "st", "nd", "rd", "tahun"} and line[end].glued
        end += text_at(line, end) in {"of", "bulan"} and not text_at(line, end + 1) in NEXT | {"ini"}
        month = MONTHS.get(text_at(line, end)) or (number_at(line, end) if text_at(line, end - 1) == "bulan" else None)
        end += 1
    elif text_at(line, at) in MONTHS and (day := number_at(line, at + 1)) is not None and day <= 31:
        month, end = MONTHS[text_at(line, at)], at + 2
        end += text_at(line, end) in {"th", "st", "nd", "rd", "tahun"} and line[end].glued
    else:
        return None
    if month is None or day is None:
        return None
    end += text_at(line, end) in {",", "tahun"} and (number_at(line, end + 1) or 0) > 2000
    year = number_at(line, end)
    if year is not None and 2000 <= year <= 2100:
        return Day(_real(year, month, day), DATE), end + 1
    return Day(_coming(today, month, day), DATE), end


def _day_of_month(line: Line, at: int, today: date) -> tuple[DayPiece, int] | None:
    """ "tgl 28", "the 28th": the next such day."""
    start = at
    while text_at(line, at) in {"the", "on"}:
        at += 1
    led = text_at(line, at) == "tanggal"
    at += led
    day, end = number_at(line, at), at + 1
    ordinal = text_at(line, end) in {"th", "st", "nd", "rd", "tahun"} and end < len(line) and line[end].glued
    if day is None or not (led or (ordinal and at > start)):
        return None
    return DayOfMonth(day), end + ordinal


def in_month(day: int, today: date, months: int | None) -> Day:
    """The next such day of the month, or that of a month ahead."""
    if months is not None:
        year, month = _month_after(today, months)
        return Day(_real(year, month, day), DATE)
    for ahead in range(3):
        year, month = _month_after(today, ahead)
        found = _real(year, month, day)
        if found and found >= today:
            return Day(found, DATE)
    return Day(None, DATE)


def _month_after(today: date, months: int) -> tuple[int, int]:
    count = today.year * 12 + today.month - 1 + months
    return count // 12, count % 12 + 1


def _coming(today: date, month: int, day: int) -> date | None:
    """This year's, or next year's where this year's is gone and next year's is nearer; the day as said otherwise."""
    this = _real(today.year, month, day)
    following = _real(today.year + 1, month, day)
    if this and this < today and following and following - today < HALF_A_YEAR:
        return following
    return this


def _real(year: int, month: int, day: int) -> date | None:
    if not (1 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]):
        return None
    return date(year, month, day)


def _century(year: int) -> int:
    return year + 2000 if year < 100 else year


def _shifted(today: date, days: int) -> date | None:
    return today + timedelta(days=days) if days <= 3660 else None


_RULES: tuple[Callable[[Line, int, date], tuple[DayPiece, int] | None], ...] = (
    _past, _today, _related, _ahead, _weekend, _week, _weekday, _numeric, _named_month, _day_of_month,
)
