"""The visit that examples name ("… besok jam 10"): a time at which the shop is open, whenever they are read."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from core.messaging.messages import Say, say
from core.schedule import slots
from core.shop import WEEKDAYS, Shop

TYPICAL = 10
"""The hour that is named if it can be."""
JOB_MINUTES = 120
A_WEEK = 7
DAYS_AHEAD = 60


def visit(shop: Shop, now: datetime) -> Say:
    """The next day that the weekly hours and public holidays leave open, as a person says it, and an hour of it."""
    today = shop.local(now).date()
    day, hour = next(_open_times(shop, today), (today + timedelta(days=1), TYPICAL))
    if day == today + timedelta(days=1):
        return say("example.tomorrow", hour=hour)
    if day < today + timedelta(days=A_WEEK):
        return say("example.weekday", day=say(f"weekday.{WEEKDAYS[day.weekday()]}"), hour=hour)
    return say("example.date", number=day.day, month=say(f"month.{day.month}"), hour=hour)


def _open_times(shop: Shop, today: date) -> Iterator[tuple[date, int]]:
    for day in (today + timedelta(days=number) for number in range(1, DAYS_AHEAD)):
        if slots.why_closed(day, shop, {}) is None:
            hours = (TYPICAL, *(hour for hour in range(24) if hour != TYPICAL))
            yield from ((day, hour) for hour in hours if slots.fits(shop.at(day, time(hour)), JOB_MINUTES, shop))
