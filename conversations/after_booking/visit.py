"""On the day: the customer is late or on the way, or looks for the technician; passed on to whom it concerns.

Only what was written to somebody is said to be passed on (`core.work.visits`).
"""

from operator import attrgetter

from sqlalchemy import select

from conversations import person
from conversations.after_booking.wanted_change import speaks_of_technician
from conversations.registry import action, to_booking
from conversations.turn import Question, Turn, Who, question
from conversations.understand.delay import read_minutes
from conversations.understand.intents import Intent
from core import work
from core.booking import may_reschedule
from core.db.tables import Booking, BookingEvent
from core.messaging.messages import Option, Say, say
from core.schedule import bookings
from core.states import BookingStatus, CallReason, EventKind, Location, VisitNews

MAX_BOOKINGS = 20
"""The newest ones, of which today's is looked for."""
_LIVE = (BookingStatus.PENDING, BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS)
_LATE_WORDS = ("telat", "terlambat", "late", "macet", "kesiangan", "mundur")


@action("late", who=Who.CUSTOMER)
async def late(turn: Turn, _: str = "") -> Question | None:
    """Late or on the way to today's appointment; another day's can be moved."""
    to_come = await _to_come(turn)
    today = [each for each in to_come if _is_today(turn, each)]
    if not to_come:
        return question(await person.call(turn, CallReason.OTHER))
    if not today:
        at = turn.shop.local(to_come[0].starts_at)
        move = [Option(f"move:{to_come[0].code}", say("option.move"))] if may_reschedule(turn.ctx, to_come[0]) else []
        turn.remark("visit.late.not_today", at=at)
        return None if turn.state.flow else question(options=[*move, to_booking(to_come[0].code)])
    booking = today[0]
    text = turn.incoming.text or ""
    is_late = any(word in text.casefold() for word in _LATE_WORDS) or turn.understood.time is not None
    news = VisitNews.LATE if is_late else VisitNews.ON_THE_WAY
    told = await work.pass_on(turn.ctx, booking, news, minutes=_minutes(turn, booking), words=text)
    turn.remarks.append(_promise(turn, booking, told, "visit.late.passed"))
    return None if turn.state.flow else question()


async def where(turn: Turn) -> Question | None:
    """Where the technician of today's on-site job is: what is known, and the question passed on; None if none is meant."""
    text = turn.incoming.text or ""
    asks = {Intent.STATUS, Intent.LOCATION, Intent.COMPLAINT} & {*turn.understood.topics}
    if not speaks_of_technician(text) or not asks:
        return None
    onsite = [each for each in await _to_come(turn) if each.location is Location.ONSITE and _is_today(turn, each)]
    if not onsite:
        return None
    booking = onsite[0]
    known = await _known(turn, booking)
    told = await work.pass_on(turn.ctx, booking, VisitNews.WHERE, minutes=None, words=text)
    return question(known, _promise(turn, booking, told, "visit.where.passed"))


async def _to_come(turn: Turn) -> list[Booking]:
    own = await bookings.of_customer(turn.session, turn.contact.customer_id, limit=MAX_BOOKINGS)
    live = (each for each in own if each.status in _LIVE and (each.starts_at > turn.now or _is_today(turn, each)))
    return sorted(live, key=attrgetter("starts_at"))


def _is_today(turn: Turn, booking: Booking) -> bool:
    return turn.shop.local(booking.starts_at).date() == turn.local_now.date()


def _minutes(turn: Turn, booking: Booking) -> int | None:
    """As said, or until the hour that was named."""
    said = read_minutes(turn.incoming.text or "")
    if said is not None or turn.understood.time is None:
        return said
    starts = turn.shop.local(booking.starts_at)
    arrives = turn.shop.at(starts.date(), turn.understood.time)
    after = int((arrives - booking.starts_at).total_seconds() // 60)
    return after if after > 0 else None


def _promise(turn: Turn, booking: Booking, told: str | None, key: str) -> Say:
    """Who will read it; the shop's number where nobody would."""
    match told:
        case "technician":
            return say(key, who=say("visit.late.to_technician", name=_name(booking)))
        case "admins":
            return say(key, who=say("visit.late.to_workshop"))
    return say("person.by_phone", contact=turn.shop.contact)


def _name(booking: Booking) -> Say | str:
    return booking.technician.name if booking.technician else say("visit.our_team")


async def _known(turn: Turn, booking: Booking) -> Say:
    at = turn.shop.local(booking.starts_at)
    if booking.status is BookingStatus.IN_PROGRESS:
        return say("visit.where.working", technician=_name(booking), code=booking.code)
    set_out = await turn.session.scalar(
        select(BookingEvent.id)
        .where(BookingEvent.booking_id == booking.id, BookingEvent.kind == EventKind.ON_MY_WAY)
        .limit(1)
    )
    key = "visit.where.on_way" if set_out is not None else "visit.where.not_yet"
    return say(key, technician=_name(booking), code=booking.code, at=at)
