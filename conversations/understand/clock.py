"""Times of day; the opening hours decide which half of the day a bare hour means.

    jam 10 · jam setengah 3 · jam 9 lewat 15 · sepuluh kurang seperempat · 14.30 · 2 pm · half past ten · abis maghrib

A rule takes the line and a place in it; it returns the piece found there and the place after it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from conversations.understand.spelling import Line, glued_at, matches, number_at, text_at


class PartOfDay(StrEnum):
    MORNING = "morning"
    NOON = "noon"
    AFTERNOON = "afternoon"
    EVENING = "evening"


@dataclass(frozen=True, slots=True)
class Clock:
    """Minutes since midnight, None for an impossible time; `fixed` if the other half of the day can't be meant."""

    minutes: int | None
    fixed: bool = False


ClockPiece = Clock | PartOfDay
Found = tuple[ClockPiece, int]
"""A piece, and the place after it."""

PARTS = {
    **dict.fromkeys(("pagi", "subuh"), PartOfDay.MORNING),
    **dict.fromkeys(("siang", "noon", "dzuhur", "jumatan"), PartOfDay.NOON),
    **dict.fromkeys(("sore", "ashar"), PartOfDay.AFTERNOON),
    **dict.fromkeys(("malam", "maghrib", "isya"), PartOfDay.EVENING),
}
HOURS = {
    PartOfDay.MORNING: (0, 12 * 60 - 1),
    PartOfDay.NOON: (10 * 60, 16 * 60),
    PartOfDay.AFTERNOON: (12 * 60, 19 * 60),
    PartOfDay.EVENING: (17 * 60, 28 * 60),
}
"""The minutes since midnight that "jam 2 siang", "jam 11 siang" and "jam 1 malam" can mean; a night ends at 4."""
HALF_DAY = 12 * 60
AFTER_FRIDAY_PRAYER = 13 * 60
LEAD = frozenset({"jam", "at", "@", "around", "sekitar"})
SUFFIXES = frozenset({"oclock", "wib", "wita", "wit"})
FRACTIONS = {"seperempat": 15, "setengah": 30}


def clock_at(line: Line, at: int) -> Found | None:
    return next((found for rule in _RULES if (found := rule(line, at))), None)


def resolve(clock: Clock, part: PartOfDay | None, hours: tuple[time, time]) -> time | None:
    """The time meant: within the named part of the day, else within or nearest to the opening hours."""
    if clock.minutes is None:
        return None
    if clock.fixed:
        return _time(clock.minutes)
    first, last = HOURS[part] if part else (_minutes(hours[0]), _minutes(hours[1]))
    readings = (clock.minutes % HALF_DAY, clock.minutes % HALF_DAY + HALF_DAY, clock.minutes % HALF_DAY + 2 * HALF_DAY)
    # Only a night has the third reading, past midnight.
    meant = min(readings if part else readings[:2], key=lambda reading: max(first - reading, reading - last, 0))
    return _time(meant % (2 * HALF_DAY))


def half_to(line: Line, at: int) -> Found | None:
    """ "(jam) setengah 3", "set 3" and "1/2 3" are 2:30."""
    at += matches(line, at, LEAD)
    written = matches(line, at, "1", {"/", "⁄"}, "2") and not glued_at(line, at + 3)
    if not (written or matches(line, at, "setengah") or (matches(line, at, "set") and number_at(line, at - 1) is None)):
        return None
    at += 3 if written else 1
    hour = number_at(line, at)
    return (_clock(hour, -30), at + 1) if hour is not None and 1 <= hour <= 24 else None


def _after_prayer(line: Line, at: int) -> Found | None:
    """ "abis jumatan" is about 13:00."""
    if not matches(line, at, {"habis", "sesudah", "bada", "bakda", "beres", "selesai"}, "jumatan"):
        return None
    return Clock(AFTER_FRIDAY_PRAYER, fixed=True), at + 2


def _english_past(line: Line, at: int) -> Found | None:
    """ "half past ten", "quarter to three", "20 past 9": the minutes come first."""
    at += matches(line, at, LEAD)
    at += matches(line, at, "a")
    minutes, hour = _fraction(line, at), number_at(line, at + 2)
    if minutes is None or hour is None or line[at + 1].raw not in {"past", "to"}:
        return None
    return _clock(hour, minutes if line[at + 1].raw == "past" else -minutes), at + 3


def _noon(line: Line, at: int) -> Found | None:
    return (Clock(HALF_DAY, fixed=True), at + 2) if matches(line, at, "at", "noon") else None


def _hour(line: Line, at: int) -> Found | None:
    """ "jam 10", "pukul 13.30 wib", "at 2", "jam 10an"; without such a lead "14.30", "2 pm", "9 pagi", "10 o'clock"."""
    led = matches(line, at, LEAD)
    if led:
        at += 1 + matches(line, at + 1, {"sekitar", "kira", "."})
    hour = number_at(line, at)
    if hour is None:
        return None
    minute, end = _minute(line, at + 1)
    if matches(line, end, {"am", "pm"}):
        return _english(hour, minute or 0, text_at(line, end)), end + 1
    shift, after_shift = _shift(line, end)
    is_certain = led or minute is not None or after_shift > end or matches(line, end, SUFFIXES)
    if not is_certain and not (hour <= 12 and matches(line, end, PARTS)):
        return None
    end = after_shift + (matches(line, after_shift, "an") and glued_at(line, after_shift))
    return _clock(hour, shift, minute or 0), end + matches(line, end, SUFFIXES)


def _part(line: Line, at: int) -> Found | None:
    """ "pagi", "pagi-pagi", "sore2", "siang an"."""
    if not matches(line, at, PARTS):
        return None
    end = at + 1
    if matches(line, end, "-", text_at(line, at)):
        end += 2
    elif matches(line, end, "an") or (matches(line, end, "2") and glued_at(line, end)):
        end += 1
    return PARTS[text_at(line, at)], end


def _minute(line: Line, at: int) -> tuple[int | None, int]:
    """The minutes of "13.30" or "13:30", and the place after them; without spaces and with two digits."""
    is_glued = matches(line, at, {".", ":"}) and glued_at(line, at) and glued_at(line, at + 1)
    return (number_at(line, at + 1), at + 2) if is_glued and len(text_at(line, at + 1)) == 2 else (None, at)


def _shift(line: Line, at: int) -> tuple[int, int]:
    """The minutes of "lewat 15", "lebih 10 menit", "kurang seperempat", and the place after them."""
    minutes = _fraction(line, at + 1)
    if not matches(line, at, {"lewat", "lebih", "kurang"}) or minutes is None:
        return 0, at
    end = at + 2 + matches(line, at + 2, "menit")
    return (-minutes if matches(line, at, "kurang") else minutes), end


def _fraction(line: Line, at: int) -> int | None:
    minutes = FRACTIONS.get(text_at(line, at), number_at(line, at))
    return minutes if minutes is not None and minutes < 60 else None


def _clock(hour: int, shift: int, minute: int = 0) -> Clock:
    if hour > 23 or minute > 59:
        return Clock(None)
    return Clock((hour * 60 + minute + shift) % (2 * HALF_DAY), fixed=hour > 12 or hour == 0)


def _english(hour: int, minute: int, half: str) -> Clock:
    if not 1 <= hour <= 12 or minute > 59:
        return Clock(None)
    return Clock(hour % 12 * 60 + minute + (HALF_DAY if half == "pm" else 0), fixed=True)


def _time(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


_RULES: tuple[Callable[[Line, int], Found | None], ...] = (half_to, _english_past, _noon, _after_prayer, _hour, _part)
