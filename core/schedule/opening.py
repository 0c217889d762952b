"""When somebody is at the workshop: by the weekly hours, closures and public holidays."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import select

from core.context import Context
from core.db.tables import Closure
from core.schedule import slots
from core.shop import Shop

DAYS_AHEAD = 60
"""A shop that doesn't open within so many days counts as open."""


async def open_from(ctx: Context, moment: datetime) -> datetime:
    """That moment while the shop is open, else when it opens next."""
    return next((max(opens, moment) for opens, _ in _spans(ctx.shop, moment, await _closures(ctx, moment))), moment)


async def after_opening_time(ctx: Context, moment: datetime, length: timedelta) -> datetime:
    """When the shop has been open for so long since a moment."""
    for opens, closes in _spans(ctx.shop, moment, await _closures(ctx, moment)):
        begins = max(opens, moment)
        if length <= closes - begins:
            return begins + length
        length -= closes - begins
    return moment + length


async def _closures(ctx: Context, moment: datetime) -> Mapping[date, str]:
    first = ctx.shop.local(moment).date()
    rows = select(Closure.day, Closure.reason).where(
        Closure.day >= first, Closure.day <= first + timedelta(days=DAYS_AHEAD)
    )
    return dict((await ctx.session.execute(rows)).all())


def _spans(shop: Shop, moment: datetime, closures: Mapping[date, str]) -> Iterator[tuple[datetime, datetime]]:
    """The opening and closing of each open day, from a moment that is before the first closing."""
    today = shop.local(moment).date()
    for day in (today + timedelta(days=number) for number in range(DAYS_AHEAD + 1)):
        hours = shop.weekly_hours(day)
        if hours is None or slots.why_closed(day, shop, closures) is not None:
            continue
        opens, closes = (shop.at(day, clock) for clock in hours)
        if moment < closes:
            yield opens, closes
