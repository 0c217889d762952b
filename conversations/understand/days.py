"""Days, one small rule per wording.

    besok · lusa · 3 hari lagi · sabtu · senin depan · minggu depan … senin · tgl 28 · 5 desember · 12/12 · 05-12-2026

A rule takes the line, a place in it and today; it returns the piece found there and the place after it.
"""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

from conversations.understand.spelling import Line, glued_at, matches, number_at, text_at, tokenise

WEEKDAYS = {"senin": 0, "selasa": 1, "rabu": 2, "kamis": 3, "jumat": 4, "sabtu": 5, "minggu": 6}
_MONTHS = "januari februari maret april mei juni juli agustus september oktober november desember"
MONTHS = {name: number for number, name in enumerate(_MONTHS.split(), 1)}
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
_AHEAD = frozenset(words[0] for words in DAYS_AHEAD)
NOT = frozenset({"jangan", "bukan"})
""""Jangan besok lusa" are two days, "besok lusa" is one."""
NEXT = frozenset({"depan", "next"})
THIS = frozenset({"ini", "this"})
WEEK = frozenset({"minggu", "pekan"})
ORDINAL = frozenset({"st", "nd", "rd", "tahun"})
"""Includes "tahun", since "th" is its short form in chats."""
PAST = frozenset({"kemarin", "tadi", "semalam"})
AGO = frozenset({"lalu", "kemarin", "tadi", "ago"})
EACH = frozenset({"tiap", "setiap", "every", "per"})
_IDLE_IN_A_MONTH = {"bulan", "tahun", "untuk", "the", "of", "for", "-", "/", ".", ","}
_THIS_MONTH = {"ini", "this", "sekarang"}
_LAST_MONTH = {"lalu", "kemarin", "last", "previous", "sebelumnya"}
MAX_DAYS_AHEAD = 3660
LEAST_AFTER_A_WEEKDAY = 13
"""A smaller number after "jumat" may be an hour."""


class Certainty(IntEnum):
    """How definite a wording is; the most definite day in a line wins."""

    FAINT = 0
    """ "sekarang", which is seldom about an appointment."""
    RELATED = 1
    WEEKDAY = 2
    DATE = 3


@dataclass(frozen=True, slots=True)
class Day:
    """A day; `day` is None if the calendar doesn't have it."""

    day: date | None
    certainty: Certainty
    ambiguous: bool = False
    other: date | None = None
    """The other day that could be meant."""


@dataclass(frozen=True, slots=True)
class Weekday:
    """A weekday (Monday is 0), and the number of weeks ahead if named."""

    number: int
    weeks: int | None = None


@dataclass(frozen=True, slots=True)
class Weekend:
    """Saturday or Sunday."""


@dataclass(frozen=True, slots=True)
class DayOfMonth:
    """A day of an unnamed month."""

    number: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """Weeks or months ahead, which move the weekday or day of the month beside them."""

    weeks: int | None = None
    months: int | None = None
    day: date | None = None
    """The day if none is: "2 minggu lagi" is one, "minggu depan" isn't."""


@dataclass(frozen=True, slots=True)
class Past:
    """Something past: "kemarin", "sabtu lalu", "2 minggu yang lalu"."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration or repetition, which is no date: "2 minggu", "tiap sabtu"."""


DayPiece = Day | Weekday | Weekend | DayOfMonth | Ahead | Past | Duration
Found = tuple[DayPiece, int]
"""A piece, and the place after it."""


def day_at(line: Line, at: int, today: date) -> Found | None:
    return next((found for rule in (*_DAY_RULES, *_DATE_RULES) if (found := rule(line, at, today))), None)


def on_weekday(weekday: Weekday, today: date) -> date:
    """The next such weekday after today; with weeks ahead, the one of that calendar week."""
    if weekday.weeks is None:
        return today + timedelta(days=(weekday.number - today.weekday()) % 7 or 7)
    return today + timedelta(days=7 * weekday.weeks + weekday.number - today.weekday())


def in_month(day: int, today: date, months: int | None) -> date | None:
    """The next such day of a month, from today on; or the one of the month so many ahead."""
    if months is not None:
        return _real(*_month_after(today, months), day)
    coming = (_real(*_month_after(today, ahead), day) for ahead in range(3))
    return next((found for found in coming if found and found >= today), None)


def _past(line: Line, at: int, today: date) -> Found | None:
    """ "kemarin", "2 minggu yang lalu", "sabtu kemarin", "last week"."""
    if matches(line, at, "last", {*WEEKDAYS, *WEEK, "bulan"}):
        return Past(), at + 2
    if matches(line, at, PAST):
        return Past(), at + 1
    end = at + (number_at(line, at) is not None)
    end += matches(line, end, "hari", WEEKDAYS)
    if not matches(line, end, {*WEEKDAYS, *WEEK, "hari", "bulan", "tahun", "jam"}):
        return None
    end += 1 + matches(line, end + 1, "yang")
    return (Past(), end + 1) if matches(line, end, AGO) else None


def _each(line: Line, at: int, today: date) -> Found | None:
    """ "tiap minggu", "setiap hari sabtu"."""
    place = at + 1 + matches(line, at + 1, "hari")
    return (Duration(), place + 1) if matches(line, at, EACH) and matches(line, place, WEEKDAYS) else None


def _days_ahead(line: Line, at: int, today: date) -> Found | None:
    """ "hari ini", "besok", "lusa", "the day after tomorrow"."""
    if _is_sundanese_tomorrow(line, at):
        return Day(today + timedelta(days=1), Certainty.RELATED), at + 1
    for words, days in DAYS_AHEAD.items() if text_at(line, at) in _AHEAD else ():
        if matches(line, at, *words) and not (len(words) > 1 and text_at(line, at - 1) in NOT):
            return Day(today + timedelta(days=days), Certainty.RELATED), at + len(words)
    return (Day(today, Certainty.FAINT), at + 1) if matches(line, at, "sekarang") else None


def _is_sundanese_tomorrow(line: Line, at: int) -> bool:
    """ "enjing" is tomorrow in Sundanese, morning in Javanese: right beside a day, or in "sugeng enjing"."""
    beside = {text_at(line, at - 1), text_at(line, at + 1)}
    is_morning = not beside.isdisjoint({*WEEKDAYS, "besok", "lusa", "sugeng", "wilujeng"})
    return line[at].raw in {"enjing", "enjang"} and not is_morning


def _counted(line: Line, at: int, today: date) -> Found | None:
    """ "3 hari lagi", "seminggu lagi", "in 3 days", "a week from now"."""
    led = matches(line, at, {"in", "dalam"})
    start = at + led
    count = 1 if matches(line, start, {"a", "seminggu"}) else number_at(line, start)
    end = start + 1 + (not matches(line, start, "seminggu"))
    unit = text_at(line, end - 1)
    if matches(line, end, "lagi"):
        end += 1
    elif matches(line, end, {"from", "dari"}, "sekarang"):
        end += 2
    elif not led:
        return None
    if count is None or count > MAX_DAYS_AHEAD // 7:
        return None
    if unit == "hari":
        return Day(today + timedelta(days=count), Certainty.RELATED), end
    return (Ahead(weeks=count, day=today + timedelta(weeks=count)), end) if unit in {*WEEK, "seminggu"} else None


def _week_or_month(line: Line, at: int, today: date) -> Found | None:
    """ "minggu depan" is a week, but a Sunday in "hari minggu depan"; "next week", "bulan depan"."""
    forward = matches(line, at, {*WEEK, "bulan"}, NEXT | THIS)
    backward = matches(line, at, NEXT | THIS, {"pekan", "bulan"})
    if not (forward or backward) or (text_at(line, at - 1) == "hari" and matches(line, at, "minggu")):
        return None
    count = int(matches(line, at + 1, NEXT) or matches(line, at, NEXT))
    is_month = "bulan" in {text_at(line, at), text_at(line, at + 1)}
    return (Ahead(months=count) if is_month else Ahead(weeks=count)), at + 2


def _weekend(line: Line, at: int, today: date) -> Found | None:
    if matches(line, at, "weekend"):
        return Weekend(), at + 1
    return (Weekend(), at + 2) if matches(line, at, "akhir", WEEK) else None


def _weekday(line: Line, at: int, today: date) -> Found | None:
    """ "sabtu", "hari sabtu", "sabtu depan", "sabtu ini", "next saturday", "this saturday"."""
    is_next = matches(line, at, "next")
    place = at + matches(line, at, NEXT | THIS)
    place += matches(line, place, "hari")
    if not matches(line, place, WEEKDAYS):
        return None
    end = place + 1
    is_next = is_next or matches(line, end, "depan")
    end += matches(line, end, {"depan", "ini"})
    return Weekday(WEEKDAYS[text_at(line, place)], weeks=1 if is_next else None), end


def _in_figures(line: Line, at: int, today: date) -> Found | None:
    """ "5/12", "05-12-2026", "5.12.2026", the day first; "2026-12-05"."""
    place = at + matches(line, at, "tanggal")
    first, second, third = (number_at(line, place + step) for step in (0, 2, 4))
    sign = text_at(line, place + 1)
    if first is None or second is None or sign not in {"/", "-", "."} or text_at(line, at - 1) in {"jam", "at"}:
        return None
    if third is not None and text_at(line, place + 3) == sign:
        year, month, day = (first, second, third) if first > 31 else (third, second, first)
        return Day(_real(year + 2000 if year < 100 else year, month, day), Certainty.DATE), place + 5
    if sign == "." or (first, second) == (24, 7):  # a time; "24/7"
        return None
    if sign == "-" and not (len(text_at(line, place)) == len(text_at(line, place + 2)) == 2):
        return None  # a range: "2-3 hari", "jam 10-12"
    return Day(_coming(today, second, first), Certainty.DATE), place + 3


def _in_named_month(line: Line, at: int, today: date) -> Found | None:
    """ "5 desember", "tgl 5 des 2026", "tgl 5 bulan 12", "december 5th", "the 5th of december"."""
    if matches(line, at, MONTHS):
        month, (day, end) = MONTHS[text_at(line, at)], _ordinal(line, at + 1)
        if day is None or day > 31:
            return None
    else:
        day, end = _ordinal(line, _after_lead(line, at))
        end += matches(line, end, {"of", "bulan"})
        month = MONTHS.get(text_at(line, end), number_at(line, end) if matches(line, end - 1, "bulan") else None) or 0
        end += 1
    if day is None or not month:
        return None
    end += matches(line, end, {",", "tahun"}) and (number_at(line, end + 1) or 0) > 2000
    if 2000 <= (year := number_at(line, end) or 0) <= 2100:
        return Day(_real(year, month, day), Certainty.DATE), end + 1
    return Day(_coming(today, month, day), Certainty.DATE), end


def _in_month(line: Line, at: int, today: date) -> Found | None:
    """ "tgl 28", "the 28th"."""
    start = _after_lead(line, at)
    day, end = _ordinal(line, start)
    led = matches(line, start - 1, "tanggal") or end > start + 1
    if matches(line, at - 1, WEEKDAYS) and day is not None and LEAST_AFTER_A_WEEKDAY <= day <= 31:
        return None if matches(line, end, {".", ":", *WEEK, "hari"}) else (DayOfMonth(day), end)  # "jumat 27"
    return (DayOfMonth(day), end) if day is not None and start > at and led else None


def _after_lead(line: Line, at: int) -> int:
    while matches(line, at, {"tanggal", "the", "on"}):
        at += 1
    return at


def _ordinal(line: Line, at: int) -> tuple[int | None, int]:
    """A number, and the place after it and its "st", "nd", "th"."""
    return number_at(line, at), at + 1 + (matches(line, at + 1, ORDINAL) and glued_at(line, at + 1))


def _coming(today: date, month: int, day: int) -> date | None:
    """That day this year; next year's if this year's is past and next year's is nearer."""
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


def read_month(text: str, today: date) -> date | None:
    """The first day of a past or current month ("nov 2025", "11/2026", "bulan lalu"), the latest if no year is named.

    None for a future month or other text.
    """
    words = [token.text for token in tokenise(text) if token.text not in _IDLE_IN_A_MONTH]
    match words:
        case [word] if word in _THIS_MONTH:
            return today.replace(day=1)
        case [word] if word in _LAST_MONTH:
            return (today.replace(day=1) - timedelta(days=1)).replace(day=1)
        case [word] if word in MONTHS:
            month = MONTHS[word]
            return date(today.year - (month > today.month), month, 1)
        case [word, year] if word in MONTHS and year.isdecimal():
            return _begun_month(int(year), MONTHS[word], today)
        case [one, other] if one.isdecimal() and other.isdecimal():
            return _begun_month(max(int(one), int(other)), min(int(one), int(other)), today)
    return None


def _begun_month(year: int, month: int, today: date) -> date | None:
    year += 2000 if year < 100 else 0
    has_begun = 1 <= month <= 12 and year >= 2000 and (year, month) <= (today.year, today.month)
    return date(year, month, 1) if has_begun else None


_DAY_RULES = (_past, _each, _days_ahead, _counted, _week_or_month, _weekend, _weekday)
_DATE_RULES = (_in_figures, _in_named_month, _in_month)
