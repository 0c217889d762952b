"""Times of day as people say them; which half of the day a bare hour means is told by the opening hours.

    jam 10 · jam setengah 3 · jam 9 lewat 15 · sepuluh kurang seperempat · 14.30 · 2 pm · half past ten · nanti sore
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from conversations.understand.numbers import number_at, text_at
from conversations.understand.spelling import Line


class PartOfDay(StrEnum):
    """A stretch of the day, as people divide it."""

    MORNING = "morning"
    NOON = "noon"
    AFTERNOON = "afternoon"
    EVENING = "evening"


@dataclass(frozen=True, slots=True)
class Clock:
    """An hour and minute as said; `fixed` where the half of the day is beyond doubt."""

    minutes: int | None
    """Minutes since midnight, or of the half day where not fixed; None: there is no such time."""
    fixed: bool = False


Stretch = PartOfDay
ClockPiece = Clock | PartOfDay | None

STRETCHES = {
    **dict.fromkeys(("pagi", "subuh"), PartOfDay.MORNING),
    **dict.fromkeys(("siang", "dzuhur", "jumatan", "noon"), PartOfDay.NOON),
    **dict.fromkeys(("sore", "ashar"), PartOfDay.AFTERNOON),
    **dict.fromkeys(("malam", "maghrib", "isya"), PartOfDay.EVENING),
}
MINUTES = {"seperempat": 15, "setengah": 30}


def clock_at(line: Line, at: int) -> tuple[ClockPiece, int] | None:
    """What is said about the time at this place, and where it ends; None: nothing."""
    for rule in _RULES:
        if found := rule(line, at):
            return found
    return None


def resolve(clock: Clock, part: PartOfDay | None, hours: tuple[time, time]) -> time | None:
    """The time meant: by the part of the day that was said, else by the nearest to the opening hours."""
    if clock.minutes is None:
        return None
    minutes = clock.minutes
    if not clock.fixed and minutes < 13 * 60:
        readings = [minutes % 720, minutes % 720 + 720]
        if part:
            minutes = min(readings, key=lambda reading: _beyond(reading, *_SPANS[part]))
        else:
            minutes = min(readings, key=lambda reading: _beyond(reading, _minutes(hours[0]), _minutes(hours[1])))
    return time(minutes // 60, minutes % 60)


_SPANS = {
    PartOfDay.MORNING: (0, 719),
    PartOfDay.NOON: (10 * 60, 15 * 60 + 59),
    PartOfDay.AFTERNOON: (12 * 60, 19 * 60),
    PartOfDay.EVENING: (17 * 60, 24 * 60),
}


def _beyond(minutes: int, first: int, last: int) -> int:
    """How far outside a span; midnight belongs to the evening before."""
    if last == 24 * 60 and minutes < 5 * 60:
        return minutes
    return max(first - minutes, minutes - last, 0)


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _half_to(line: Line, at: int) -> tuple[ClockPiece, int] | None:
    """ "(jam) setengah 3" is 2:30."""
    at += text_at(line, at) in {"jam", "at"}
    hour = number_at(line, at + 1)
    if text_at(line, at) != "setengah" or hour is None:
        return None
    at, end = at + 1, at + 2
    if not 1 <= hour <= 24:
        return Clock(None), end
    return Clock(hour * 60 - 30, fixed=hour > 13), end


def _english_past(line: Line, at: int) -> tuple[ClockPiece, int] | None:
    """ "half past ten", "quarter to three", "20 past 9"."""
    at += text_at(line, at) in {"at", "jam"}
    at += text_at(line, at) == "a"
    amount = MINUTES.get(text_at(line, at)) or number_at(line, at)
    way = text_at(line, at + 1)
    hour = number_at(line, at + 2)
    if amount is None or hour is None or way not in {"lewat", "ke"} or line[at + 1].raw not in {"past", "to"}:
        return None
    return _moved(hour, amount if way == "lewat" else -amount), at + 3


def _spoken(line: Line, at: int) -> tuple[ClockPiece, int] | None:
    """ "jam 10", "jam 13.30", "jam 9 lewat 15", "jam 10 kurang seperempat", "at 2"; a bare number with its half day."""
    led = text_at(line, at) in {"jam", "at", "@"}
    at += led
    at += led and text_at(line, at) in {"sekitar", "kira", "."}
    hour = number_at(line, at)
    if hour is None:
        return None
    minute, end = _minute(line, at)
    if minute is not None and not led and text_at(line, at + 1) == "." and len(text_at(line, at + 2)) != 2:
        return None
    shift, end = _shift(line, end)
    half = text_at(line, end)
    if half in {"am", "pm"}:
        return _english(hour, minute or 0, half), end + 1
    end += half == "an" and line[end].glued
    if text_at(line, end) in {"o", "oclock"}:
        end, led = end + 1 + (text_at(line, end + 1) == "clock"), True
    if text_at(line, end) == "wib":
        end, led = end + 1, True
    if not (led or minute is not None or shift is not None or (text_at(line, end) in STRETCHES and hour <= 12)):
        return None
    if hour > 23 or (minute or 0) > 59:
        return Clock(None), end
    fixed = hour > 12 or (hour == 0) or (minute is not None and len(text_at(line, at)) == 2 and hour < 10)
    return _moved(hour, (minute or 0) + (shift or 0), fixed=fixed), end


def _minute(line: Line, at: int) -> tuple[int | None, int]:
    """The minute of "13.30" or "13:30", which must be glued to its hour."""
    if text_at(line, at + 1) in {".", ":"} and line[at + 1].glued and at + 2 < len(line) and line[at + 2].glued:
        return number_at(line, at + 2), at + 3
    return None, at + 1


def _shift(line: Line, at: int) -> tuple[int | None, int]:
    """The minutes of "lewat 15", "kurang seperempat", "lebih 10 menit"."""
    way = text_at(line, at)
    if way not in {"lewat", "lebih", "kurang"}:
        return None, at
    amount = MINUTES.get(text_at(line, at + 1)) or number_at(line, at + 1)
    if amount is None or amount > 59:
        return None, at
    end = at + 2
    end += text_at(line, end) == "menit"
    return (-amount if way == "kurang" else amount), end


def _moved(hour: int, minutes: int, *, fixed: bool = False) -> Clock:
    total = hour * 60 + minutes
    return Clock(total % 1440 if 0 <= hour <= 23 else None, fixed=fixed or hour > 13)


def _english(hour: int, minute: int, half: str) -> Clock:
    if hour > 12 and half == "pm" and hour < 24:
        return _moved(hour, minute, fixed=True)
    if not 1 <= hour <= 12 or minute > 59:
        return Clock(None)
    return Clock(hour % 12 * 60 + minute + (720 if half == "pm" else 0), fixed=True)


def _noon(line: Line, at: int) -> tuple[ClockPiece, int] | None:
    if text_at(line, at) == "at" and text_at(line, at + 1) == "noon":
        return Clock(720, fixed=True), at + 2
    return None


def _stretch(line: Line, at: int) -> tuple[ClockPiece, int] | None:
    if (part := STRETCHES.get(text_at(line, at))) is None:
        return None
    end = at + 1
    end += text_at(line, end) in {"an", "2"} and line[end].glued
    if text_at(line, end) == "-" and text_at(line, end + 1) == text_at(line, at):
        end += 2
    return part, end


_RULES: tuple[Callable[[Line, int], tuple[ClockPiece, int] | None], ...] = (
    _half_to, _english_past, _noon, _spoken, _stretch,
)
