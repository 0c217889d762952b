"""How many minutes a customer speaks of: "telat 30 menit", "setengah jam lagi", "1 jam setengah"."""

from conversations.understand.numbers import with_digits
from conversations.understand.spelling import Line, matches, number_at, tokenise

HOUR, HALF = 60, 30
LONGEST = 24 * HOUR
MINUTES = frozenset({"menit", "min", "mnt", "minute", "minutes"})
HOURS = frozenset({"jam", "hour", "hours"})
HALVES = frozenset({"setengah", "half"})
ONE_HOUR = frozenset({"sejam", "sejaman"})


def read_minutes(text: str) -> int | None:
    line = with_digits(tokenise(text))
    found = next((minutes for at in range(len(line)) if (minutes := _minutes(line, at)) is not None), None)
    return found if found is not None and 0 < found <= LONGEST else None


def _minutes(line: Line, at: int) -> int | None:
    number = number_at(line, at)
    if number is not None and matches(line, at + 1, MINUTES):
        return number
    if number is not None and matches(line, at + 1, HOURS):
        return number * HOUR + (HALF if matches(line, at + 2, "setengah") else 0)
    if matches(line, at, HALVES) and any(matches(line, at + more, HOURS) for more in (1, 2)):
        return HALF
    if matches(line, at, "seperempat") and matches(line, at + 1, "jam"):
        return HALF // 2
    if matches(line, at, "an") and matches(line, at + 1, HOURS):
        return HOUR
    return HOUR if matches(line, at, ONE_HOUR) else None
