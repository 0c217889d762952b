"""The shop's terms: paying, delivery, what it does and doesn't, and its hours in Ramadan and on holidays."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby

from conversations.advice.wish import HUMAN, Advice, Wish, comma, lines_of
from conversations.turn import Turn
from conversations.understand.choosing import ANY_HOLIDAY, RAMADAN, Terms, read_season, read_terms
from core import payment
from core.catalogue.snapshot import CATEGORIES
from core.db.tables import Booking
from core.messaging.messages import Link, Option, Say, say
from core.payment.payment_methods import offered_methods
from core.schedule import availability, bookings, slots
from core.shop import WEEKDAYS

AN_AMOUNT = 1_000_000
"""Rupiah: an amount that every method takes."""
LATEST = 3
"""How many bookings are looked at for one that is to be paid."""
MOST_DAYS = 4
"""Holidays that are listed."""


async def payment_terms(turn: Turn, wish: Wish) -> Advice:
    """Down payment, methods, instalments, and why it is safe: what was asked, or the first two."""
    asked = read_terms(wish.text) or {Terms.DOWN_PAYMENT, Terms.METHODS}
    says = {
        Terms.SAFE: _safe,
        Terms.INSTALMENTS: _instalments,
        Terms.CASH: _cash,
        Terms.DOWN_PAYMENT: _down_payment,
        Terms.METHODS: _methods,
    }
    answers = [say_of(turn) for term, say_of in says.items() if term in asked]
    unpaid = await _unpaid(turn)
    if unpaid is None:
        return Advice(answers)
    booking, link = unpaid
    return Advice(answers, [Option(f"see:{booking.code}", say("option.see_booking"))], link=link)


async def _unpaid(turn: Turn) -> tuple[Booking, Link] | None:
    """The only booking that can be paid now; a question about paying is about it."""
    own = await bookings.of_customer(turn.session, turn.contact.customer_id, limit=LATEST)
    asked = [(each, opened) for each in own if (opened := await payment.open_request(turn.ctx, each)) and opened.url]
    if len(asked) != 1:
        return None
    booking, opened = asked[0]
    return booking, Link(opened.url or "", say("option.pay", amount=opened.amount))


async def delivery(turn: Turn, wish: Wish) -> Advice:
    """What the owner says about it, or that parts are picked up."""
    shop = turn.shop
    if shop.delivery:
        return Advice([say("advice.delivery", text=shop.delivery)])
    return Advice([say("advice.no_delivery", address=shop.address, city=shop.city)])


async def not_ours(turn: Turn, wish: Wish) -> Advice:
    """What the shop does, kindly."""
    return Advice([say("advice.not_ours", goods=comma(_trade(turn)))])


async def hours(turn: Turn, wish: Wish) -> Advice:
    """Whether the shop is open on a day, on a holiday, or in Ramadan: from hours and closures."""
    season = read_season(wish.text)
    today = turn.local_now.date()
    if wish.day is not None:
        return Advice(await _days(turn, [wish.day]))
    if season == RAMADAN and (span := slots.ramadan_ahead(today)):
        return Advice(await _ramadan(turn, *span))
    if season is not None and season != RAMADAN:
        named = "" if season == ANY_HOLIDAY else season
        if found := slots.holidays_ahead(today, named=named):
            return Advice(await _days(turn, found[:MOST_DAYS]))
        return Advice([say("advice.unknown_day")], [HUMAN])
    return Advice([_week(turn)])


def _trade(turn: Turn) -> list[Say]:
    return [say(f"category.{each}") for each in CATEGORIES if each in turn.catalogue.shelves and each != "other"]


# --- paying ------------------------------------------------------------------------------------


def _safe(turn: Turn) -> Say:
    return say("advice.safe", shop=turn.shop.name, address=turn.shop.address, city=turn.shop.city)


def _instalments(turn: Turn) -> Say:
    return say("advice.instalments")


def _cash(turn: Turn) -> Say:
    return say("advice.cash")


def _down_payment(turn: Turn) -> Say:
    percents = sorted(turn.shop.down_payment_percents)
    if not percents:
        return say("advice.no_down_payment")
    shares = "/".join(map(str, percents))
    return say("advice.down_payment", percents=shares)


def _methods(turn: Turn) -> Say:
    offered = offered_methods(AN_AMOUNT, services_only=False)
    return say("advice.methods", methods=comma([say(f"notice.method.{each}") for each in offered]))


# --- hours -------------------------------------------------------------------------------------


async def _days(turn: Turn, days: Sequence[date]) -> list[Say]:
    language = turn.contact.language
    closed = await availability.closed_days(turn.ctx, days, language=language)
    lines = [_day(turn, day, closed[day]) for day in days]
    return [lines_of([*lines, *_may_change(turn, max(days))])]


def _day(turn: Turn, day: date, closed: Say | None) -> Say:
    holiday = slots.public_holiday(day, turn.contact.language)
    span = turn.shop.weekly_hours(day)
    name = say("advice.named", name=holiday) if holiday else ""
    if closed is not None or span is None:
        # The holiday's name stands beside the day already, so the reason isn't said again.
        why = "" if holiday or closed is None else say("advice.why", why=closed)
        return say("advice.day_closed", day=day, name=name, why=why)
    return say("advice.day_open", day=day, name=name, opens=f"{span[0]:%H:%M}", closes=f"{span[1]:%H:%M}")


async def _ramadan(turn: Turn, first: date, last: date) -> list[Say]:
    """The days in it on which the shop is closed beyond its week; no hours of its own are known."""
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    reasons = await availability.closed_days(turn.ctx, days, language=turn.contact.language)
    special = [day for day, why in reasons.items() if why is not None and turn.shop.weekly_hours(day) is not None]
    says = [say("advice.ramadan", first=first, last=last), _week(turn)]
    if special:
        lines = [_day(turn, day, reasons[day]) for day in special[:MOST_DAYS]]
        says.append(lines_of(lines))
    return [*says, *_may_change(turn, last)]


def _may_change(turn: Turn, day: date) -> list[Say]:
    """What lies beyond the days that can be booked isn't planned to its end."""
    return [say("advice.may_change")] if day > turn.shop.last_day(turn.now) else []


def _week(turn: Turn) -> Say:
    """The week in a line for each run of days with the same hours: "Senin–Sabtu 09:00–17:00"."""
    runs = [(span, [*days]) for span, days in groupby(WEEKDAYS, key=turn.shop.opening_hours.get)]
    lines = []
    for span, days in runs:
        first, last = say(f"weekday.{days[0]}"), say(f"weekday.{days[-1]}")
        name = first if len(days) == 1 else say("advice.from_to", first=first, last=last)
        lines.append(
            say("hours.open", day=name, span=span.replace("-", "–")) if span else say("hours.closed", day=name)
        )
    return say("hours.week", lines=lines)
