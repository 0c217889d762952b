"""A past or current month: "november", "nov 2025", "2026-11", "11/2026", "bulan lalu"."""

from datetime import date, timedelta

from conversations.understand.days import MONTHS
from conversations.understand.spelling import tokenise

_NOTHING = {"bulan", "tahun", "untuk", "the", "of", "for", "-", "/", ".", ","}
_THIS = {"ini", "this", "sekarang"}
_LAST = {"lalu", "kemarin", "last", "previous", "sebelumnya"}


def read_month(text: str, today: date) -> date | None:
    """The first day of the month, the latest such month if no year is named; None for a future one or other text."""
    words = [token.text for token in tokenise(text) if token.text not in _NOTHING]
    match words:
        case [word] if word in _THIS:
            return today.replace(day=1)
        case [word] if word in _LAST:
            return (today.replace(day=1) - timedelta(days=1)).replace(day=1)
        case [word] if word in MONTHS:
            month = MONTHS[word]
            return date(today.year - (month > today.month), month, 1)
        case [word, year] if word in MONTHS and year.isdecimal():
            return _past(int(year), MONTHS[word], today)
        case [one, other] if one.isdecimal() and other.isdecimal():
            return _past(max(int(one), int(other)), min(int(one), int(other)), today)
    return None


def _past(year: int, month: int, today: date) -> date | None:
    year += 2000 if year < 100 else 0
    if not 1 <= month <= 12 or not 2000 <= year <= today.year:
        return None
    first = date(year, month, 1)
    return first if first <= today else None
