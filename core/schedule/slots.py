"""When jobs can start on a day, and why on some days none can. Pure rules.

A job starts at a multiple of `slot_minutes` after opening, ends before closing, and takes the time between.

A shop's zone has no summer time (Indonesia), so adding minutes to a local time is right.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cache

import holidays

from core.messaging.messages import Say, say
from core.refusals import InThePast, NotASlot, OutsideHours, Refusal, ShortNotice, TooFarAhead
from core.shop import Shop

A_YEAR = timedelta(days=365)
EID = "Idul Fitri"
RAMADAN = timedelta(days=30)
_LANGUAGES = {"id": "id", "en": "en_US"}


def starts(day: date, shop: Shop) -> list[datetime]:
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
    name = public_holiday(day, language)
    if name and shop.closed_on_public_holidays and day not in shop.open_on:
        return say("closed.holiday", name=name)
    return None


def prepare() -> None:
    """Load the calendars of all countries, of which one is used; it takes some hundred milliseconds, once."""
    for language in _LANGUAGES:
        _public_holidays(2026, language)


def public_holiday(day: date, language: str = "id") -> str | None:
    return _public_holidays(day.year, language).get(day)


def holidays_ahead(today: date, *, named: str = "") -> list[date]:
    """The public holidays of the coming year whose Indonesian name holds these words, today's included."""
    ahead = sorted(_public_holidays(today.year, "id") | _public_holidays(today.year + 1, "id"))
    coming = [day for day in ahead if today <= day < today + A_YEAR]
    return [day for day in coming if named.casefold() in (public_holiday(day) or "").casefold()]


def ramadan_ahead(today: date) -> tuple[date, date] | None:
    """The first and the last day of the Ramadan that lasts or comes next, give or take a day: the moon decides."""
    eid = holidays_ahead(today, named=EID)
    return (eid[0] - RAMADAN, eid[0] - timedelta(days=1)) if eid else None


def fits(starts_at: datetime, minutes: int, shop: Shop) -> bool:
    """Whether a job starts at a slot of its weekday and ends before closing."""
    return why_misfit(starts_at, minutes, shop) is None


def why_misfit(starts_at: datetime, minutes: int, shop: Shop) -> Refusal | None:
    """Why a new job doesn't fit into the hours and slots of its weekday; None when it does."""
    outside = why_outside_hours(starts_at, ends_at(starts_at, minutes, shop), shop)
    if outside is not None:
        return outside
    start = shop.local(starts_at)
    return None if start in starts(start.date(), shop) else NotASlot(at=start)


def why_outside_hours(starts_at: datetime, ends: datetime, shop: Shop) -> OutsideHours | None:
    """Why a span of time isn't within the opening hours of its weekday; None when it is."""
    start = shop.local(starts_at)
    hours = shop.weekly_hours(start.date())
    opens, closes = (shop.at(start.date(), clock) for clock in hours or (time(), time()))
    if opens <= start and ends <= closes:
        return None
    return OutsideHours(at=start, minutes=(ends - starts_at) // timedelta(minutes=1), opens=opens, closes=closes)


def ends_at(starts_at: datetime, minutes: int, shop: Shop) -> datetime:
    """When a job ends; without a service (parts alone) it takes one slot."""
    return starts_at + timedelta(minutes=minutes or shop.slot_minutes)


def check_start(starts_at: datetime, now: datetime, shop: Shop) -> None:
    """Raise `InThePast` or `TooFarAhead` unless the shop plans for that time."""
    if starts_at <= now:
        raise InThePast
    if shop.local(starts_at).date() > shop.last_day(now):
        raise TooFarAhead(days=shop.book_ahead_days)


def check_notice(starts_at: datetime, now: datetime, shop: Shop) -> None:
    """Raise `ShortNotice` if that is too soon for a new booking."""
    if starts_at < shop.earliest_start(now):
        raise ShortNotice(minutes=shop.book_notice_minutes)


@cache
def _public_holidays(year: int, language: str) -> dict[date, str]:
    return dict(holidays.country_holidays("ID", years=year, language=_LANGUAGES[language]))
