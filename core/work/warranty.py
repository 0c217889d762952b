"""How long a warranty lasts. Pure rules."""

from calendar import monthrange
from datetime import date


def ends(begins: date, months: int) -> date:
    """The last day of a warranty; in a month without that day, the month's last."""
    years, month = divmod(begins.month - 1 + months, 12)
    year = begins.year + years
    return date(year, month + 1, min(begins.day, monthrange(year, month + 1)[1]))


def days_left(until: date, today: date) -> int:
    """Days left of a warranty, its last day included; 0 once it is over."""
    return max(0, (until - today).days + 1)
