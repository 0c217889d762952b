"""How long a warranty lasts. Pure rules."""

from calendar import monthrange
from datetime import date


def ends(begins: date, months: int) -> date:
    """The last day of a warranty of so many months; a month without that day ends on its own last one."""
    years, month = divmod(begins.month - 1 + months, 12)
    year = begins.year + years
    return date(year, month + 1, min(begins.day, monthrange(year, month + 1)[1]))


def days_left(until: date, today: date) -> int:
    """How many days a warranty still lasts, its last one included; 0 once it is over."""
    return max(0, (until - today).days + 1)
