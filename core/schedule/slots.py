"""The day's grid: when jobs can start, which cells one takes, and why a day has none. Pure rules.

09:00    10:00    11:00    12:00         cells of `slot_minutes`, from opening to closing
  |--------|--------|--------|
  [  a job of 90 minutes ] ..            takes the cells of 09:00 and 10:00, whole

A shop's zone has no summer time (Indonesia), so adding minutes to a local time is right.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache

import holidays

from core.messaging.messages import Say, say
from core.refusals import InThePast, OutsideHours, TooFarAhead
from core.shop import Shop

_LANGUAGES = {"id": "id", "en": "en_US"}


def cells(day: date, shop: Shop) -> list[datetime]:
    """The starts of a day's slots, in the shop's zone, by its weekday alone; only whole slots."""
    hours = shop.weekly_hours(day)
    if hours is None:
        return []
    opens, closes = (shop.at(day, clock) for clock in hours)
    length = timedelta(minutes=shop.slot_minutes)
    return [opens + number * length for number in range((closes - opens) // length)]


def why_closed(day: date, shop: Shop, closures: Mapping[date, str], *, language: str = "id") -> Say | None:
    """Why the shop is closed on a day, for the customer; None when it opens."""
    if shop.weekly_hours(day) is None:
        return say("closed.weekday")
    if day in closures:
        return say("closed.closure", reason=closures[day])
    name = _public_holidays(day.year, language).get(day)
    if name and shop.closed_on_public_holidays and day not in shop.open_on:
        return say("closed.holiday", name=name)
    return None


def spanned(starts_at: datetime, minutes: int, shop: Shop) -> list[datetime]:
    """The cells that a job takes; a job takes at least the cell it starts in.

    Raises `OutsideHours` when it doesn't start on a cell or doesn't end before closing.
    """
    found = span(starts_at, minutes, shop)
    if not found:
        raise OutsideHours
    return found


def span(starts_at: datetime, minutes: int, shop: Shop) -> list[datetime]:
    """As `spanned`, but empty when the job doesn't fit into the opening hours."""
    start = shop.local(starts_at)
    grid = cells(start.date(), shop)
    hours = shop.weekly_hours(start.date())
    end = start + timedelta(minutes=max(minutes, shop.slot_minutes))
    if start not in grid or hours is None or end > shop.at(start.date(), hours[1]):
        return []
    return [cell for cell in grid if start <= cell < end]


def check_start(starts_at: datetime, now: datetime, shop: Shop) -> None:
    """Raise `InThePast` or `TooFarAhead` unless a booking may start then."""
    if starts_at < shop.earliest_start(now):
        raise InThePast
    if shop.local(starts_at).date() > shop.last_day(now):
        raise TooFarAhead


@cache
def _public_holidays(year: int, language: str) -> dict[date, str]:
    return dict(holidays.country_holidays("ID", years=year, language=_LANGUAGES[language]))
