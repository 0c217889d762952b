"""Days as people say them: one small rule a way of saying, each looking at the words from one place on.

    besok · lusa · 3 hari lagi · sabtu · senin depan · minggu depan … senin · tgl 28 · 5 desember · 12/12 · 05-12-2026

A rule takes the line, a place in it and today; it gives what is said there and the place after it.
"""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

from conversations.understand.line import Line, glued_at, number_at, stands, text_at

WEEKDAYS = {"senin": 0, "selasa": 1, "rabu": 2, "kamis": 3, "jumat": 4, "sabtu": 5, "minggu": 6}
MONTHS = {
    "januari": 1,
    "februari": 2,
    "maret": 3,
    "april": 4,
    "mei": 5,
    "juni": 6,
    "juli": 7,
    "agustus": 8,
    "september": 9,
    "oktober": 10,
    "november": 11,
    "desember": 12,
}
DAYS_AHEAD = {
    ("hari", "sesudah", "besok"): 2,
    ("besok", "lusa"): 2,
    ("hari", "besok"): 1,
    ("hari", "lusa"): 2,
    ("hari", "ini"): 0,
    ("today",): 0,
    ("besok",): 1,
    ("lusa",): 2,
}
NEXT = frozenset({"depan", "next"})
THIS = frozenset({"ini", "this"})
WEEK = frozenset({"minggu", "pekan"})
ORDINAL = frozenset({"st", "nd", "rd", "tahun"})
""" "th" is the chat form of tahun, too."""
TOLD = frozenset({"kemarin", "tadi", "semalam"})
AGO = frozenset({"lalu", "kemarin", "tadi", "ago"})
EACH = frozenset({"tiap", "setiap", "every", "per"})
MOST_AHEAD = 3660
"""Days; more is no plan, and would leave the calendar."""


class Sure(IntEnum):
    """How little a way of saying a day leaves open; the surer wins over another in the line."""

    FAINT = 0
    """ "sekarang", which in most lines isn't about an appointment."""
    RELATED = 1
    WEEKDAY = 2
    DATE = 3


@dataclass(frozen=True, slots=True)
class Day:
    """A day that was said; `day` is None where the calendar has no such day."""

    day: date | None
    sure: Sure
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Weekday:
    """A weekday (Monday is 0), and how many weeks ahead where that was said."""

    number: int
    weeks: int | None = None


@dataclass(frozen=True, slots=True)
class Weekend:
    """Saturday or Sunday."""


@dataclass(frozen=True, slots=True)
class DayOfMonth:
    """A day of a month that wasn't said."""

    number: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """Weeks or months ahead: they move the weekday, or the day of the month, that is said beside them."""

    weeks: int | None = None
    months: int | None = None
    day: date | None = None
    """The day if none is: "2 minggu lagi" is one, "minggu depan" isn't."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is over: "kemarin", "sabtu lalu", "2 minggu yang lalu"."""


@dataclass(frozen=True, slots=True)
class Length:
    """Time without a date: "2 minggu", "tiap sabtu"."""


DayPiece = Day | Weekday | Weekend | DayOfMonth | Ahead | Told | Length
Found = tuple[DayPiece, int]
"""What is said, and the place after it."""


def day_at(line: Line, at: int, today: date) -> Found | None:
    """What is said of a day from this place on."""
    return next((found for rule in _RULES if (found := rule(line, at, today))), None)


def on_weekday(weekday: Weekday, today: date) -> date:
    """The next such day, today not counted; with weeks ahead, that of the calendar week."""
    if weekday.weeks is None:
        return today + timedelta(days=(weekday.number - today.weekday()) % 7 or 7)
    return today + timedelta(days=7 * weekday.weeks + weekday.number - today.weekday())


def in_month(day: int, today: date, months: int | None) -> date | None:
    """The next such day of a month, today counted; or that of the month so many ahead."""
    if months is not None:
        return _real(*_month_after(today, months), day)
    coming = (_real(*_month_after(today, ahead), day) for ahead in range(3))
    return next((found for found in coming if found and found >= today), None)


def _told(line: Line, at: int, today: date) -> Found | None:
    """ "kemarin", "2 minggu yang lalu", "sabtu kemarin", "last week"."""
    if stands(line, at, "last", {*WEEKDAYS, *WEEK, "bulan"}):
        return Told(), at + 2
    if stands(line, at, TOLD):
        return Told(), at + 1
    end = at + (number_at(line, at) is not None)
    end += stands(line, end, "hari", WEEKDAYS)
    if not stands(line, end, {*WEEKDAYS, *WEEK, "hari", "bulan", "tahun", "jam"}):
        return None
    end += 1 + stands(line, end + 1, "yang")
    return (Told(), end + 1) if stands(line, end, AGO) else None


def _each(line: Line, at: int, today: date) -> Found | None:
    """ "tiap minggu", "setiap hari sabtu"."""
    place = at + 1 + stands(line, at + 1, "hari")
    return (Length(), place + 1) if stands(line, at, EACH) and stands(line, place, WEEKDAYS) else None


def _days_ahead(line: Line, at: int, today: date) -> Found | None:
    """ "hari ini", "besok", "lusa", "the day after tomorrow"."""
    for words, days in DAYS_AHEAD.items():
        if stands(line, at, *words):
            return Day(today + timedelta(days=days), Sure.RELATED), at + len(words)
    return (Day(today, Sure.FAINT), at + 1) if stands(line, at, "sekarang") else None


def _counted(line: Line, at: int, today: date) -> Found | None:
    """ "3 hari lagi", "seminggu lagi", "in 3 days", "a week from now"."""
    led = stands(line, at, {"in", "dalam"})
    start = at + led
    count = 1 if stands(line, start, {"a", "seminggu"}) else number_at(line, start)
    end = start + 1 + (not stands(line, start, "seminggu"))
    unit = text_at(line, end - 1)
    if stands(line, end, "lagi"):
        end += 1
    elif stands(line, end, {"from", "dari"}, "sekarang"):
        end += 2
    elif not led:
        return None
    if count is None or count > MOST_AHEAD // 7:
        return None
    if unit == "hari":
        return Day(today + timedelta(days=count), Sure.RELATED), end
    return (Ahead(weeks=count, day=today + timedelta(weeks=count)), end) if unit in {*WEEK, "seminggu"} else None


def _week_or_month(line: Line, at: int, today: date) -> Found | None:
    """ "minggu depan" is a week, but a Sunday in "hari minggu depan"; "next week", "bulan depan"."""
    forward = stands(line, at, {*WEEK, "bulan"}, NEXT | THIS)
    backward = stands(line, at, NEXT | THIS, {"pekan", "bulan"})
    if not (forward or backward) or (text_at(line, at - 1) == "hari" and stands(line, at, "minggu")):
        return None
    count = int(stands(line, at + 1, NEXT) or stands(line, at, NEXT))
    is_month = "bulan" in {text_at(line, at), text_at(line, at + 1)}
    return (Ahead(months=count) if is_month else Ahead(weeks=count)), at + 2


def _weekend(line: Line, at: int, today: date) -> Found | None:
    if stands(line, at, "weekend"):
        return Weekend(), at + 1
    return (Weekend(), at + 2) if stands(line, at, "akhir", WEEK) else None


def _weekday(line: Line, at: int, today: date) -> Found | None:
    """ "sabtu", "hari sabtu", "sabtu depan", "sabtu ini", "next saturday", "this saturday"."""
    is_next = stands(line, at, "next")
    place = at + stands(line, at, NEXT | THIS)
    place += stands(line, place, "hari")
    if not stands(line, place, WEEKDAYS):
        return None
    end = place + 1
    is_next = is_next or stands(line, end, "depan")
    end += stands(line, end, {"depan", "ini"})
    return Weekday(WEEKDAYS[text_at(line, place)], weeks=1 if is_next else None), end


def _in_figures(line: Line, at: int, today: date) -> Found | None:
    """ "5/12", "05-12-2026", "5.12.2026", the day first; "2026-12-05"."""
    place = at + stands(line, at, "tanggal")
    first, second, third = (number_at(line, place + step) for step in (0, 2, 4))
    sign = text_at(line, place + 1)
    if first is None or second is None or sign not in {"/", "-", "."} or text_at(line, at - 1) in {"jam", "at"}:
        return None
    if third is not None and text_at(line, place + 3) == sign:
        year, month, day = (first, second, third) if first > 31 else (third, second, first)
        return Day(_real(year + 2000 if year < 100 else year, month, day), Sure.DATE), place + 5
    if sign == "." or (first, second) == (24, 7):  # a time; round the clock
        return None
    if sign == "-" and not (len(text_at(line, place)) == len(text_at(line, place + 2)) == 2):
        return None  # "2-3 hari", "jam 10-12": from one to the other
    return Day(_coming(today, second, first), Sure.DATE), place + 3


def _in_named_month(line: Line, at: int, today: date) -> Found | None:
    """ "5 desember", "tgl 5 des 2026", "tgl 5 bulan 12", "december 5th", "the 5th of december"."""
    if stands(line, at, MONTHS):
        month, (day, end) = MONTHS[text_at(line, at)], _ordinal(line, at + 1)
        if day is None or day > 31:
            return None
    else:
        day, end = _ordinal(line, _after_lead(line, at))
        end += stands(line, end, {"of", "bulan"})
        month = MONTHS.get(text_at(line, end), number_at(line, end) if stands(line, end - 1, "bulan") else None) or 0
        end += 1
    if day is None or not month:
        return None
    end += stands(line, end, {",", "tahun"}) and (number_at(line, end + 1) or 0) > 2000
    if 2000 <= (year := number_at(line, end) or 0) <= 2100:
        return Day(_real(year, month, day), Sure.DATE), end + 1
    return Day(_coming(today, month, day), Sure.DATE), end


def _in_month(line: Line, at: int, today: date) -> Found | None:
    """ "tgl 28", "the 28th"."""
    start = _after_lead(line, at)
    day, end = _ordinal(line, start)
    led = stands(line, start - 1, "tanggal") or end > start + 1
    return (DayOfMonth(day), end) if day is not None and start > at and led else None


def _after_lead(line: Line, at: int) -> int:
    while stands(line, at, {"tanggal", "the", "on"}):
        at += 1
    return at


def _ordinal(line: Line, at: int) -> tuple[int | None, int]:
    """A number, and the place after it and its "st", "nd", "th"."""
    return number_at(line, at), at + 1 + (stands(line, at + 1, ORDINAL) and glued_at(line, at + 1))


def _coming(today: date, month: int, day: int) -> date | None:
    """That day this year; next year's where this year's is gone and next year's is the nearer one."""
    this, following = _real(today.year, month, day), _real(today.year + 1, month, day)
    if this and following and this < today and following - today < today - this:
        return following
    return this


def _month_after(today: date, months: int) -> tuple[int, int]:
    count = today.year * 12 + today.month - 1 + months
    return count // 12, count % 12 + 1


def _real(year: int, month: int, day: int) -> date | None:
    if 1 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]:
        return date(year, month, day)
    return None


_RULES: tuple[Callable[[Line, int, date], Found | None], ...] = (
    _told,
    _each,
    _days_ahead,
    _counted,
    _week_or_month,
    _weekend,
    _weekday,
    _in_figures,
    _in_named_month,
    _in_month,
)
