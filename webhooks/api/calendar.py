"""Days that the shop closes, technicians' leave, and the bookings that both make impossible."""

from collections.abc import Awaitable, Callable
from datetime import date, time
from typing import Annotated, Self

from pydantic import Field

from core import booking as verbs
from core.booking import LeavePeriod, impossible_bookings
from core.context import Context
from core.db.tables import Booking, Leave
from core.messaging.messages import say
from core.refusals import NotFound, Refusal
from core.schedule import bookings, obstacles
from webhooks.api.bookings import again
from webhooks.api.endpoint import Call, Page, Who, endpoint
from webhooks.api.models.bookings import BookingShown
from webhooks.api.models.fields import Clock, Day, Given, Id, Model, Reason, Word


class ClosedDay(Model):
    date: date
    reason: str


class Impossible(Model):
    """A booking that can't be done as booked; `message` says why."""

    id: Annotated[str, Field(alias="_id")]
    scheduled_date: str
    scheduled_time: str
    customer_name: str
    customer_phone: str
    technician_id: str | None
    reason: str
    message: str

    @classmethod
    def of(cls, call: Call, booking: Booking, why: Refusal) -> Self:
        start = call.api.shop.local(booking.starts_at)
        return cls(
            id=booking.code,
            scheduled_date=start.date().isoformat(),
            scheduled_time=f"{start:%H:%M}",
            customer_name=booking.name,
            customer_phone=booking.phone,
            technician_id=booking.technician_id,
            reason=why.code,
            message=call.render(obstacles.named(why)),
        )


class Closing(Given):
    """One day, or the days until `endDate`."""

    date: Day
    end_date: Day | None = None
    reason: Word


class Closed(Model):
    days: list[ClosedDay]
    affected: list[Impossible]


class LeaveDay(Model):
    """`startTime` and `endTime` are null on a whole day of leave."""

    date: date
    start_time: str | None
    end_time: str | None

    @classmethod
    def of(cls, leave: Leave) -> Self:
        return cls(date=leave.day, start_time=_clock(leave.begins), end_time=_clock(leave.ends))


class LeaveWanted(Given):
    """The days from `startDate` to `endDate`; with times, that part of each day."""

    start_date: Day
    end_date: Day | None = None
    start_time: Clock | None = None
    end_time: Clock | None = None


class LeaveEntered(Model):
    leave: list[LeaveDay]
    affected: list[Impossible]


class LeaveEnded(Given):
    """Without dates, all leave from today on."""

    start_date: Day | None = None
    end_date: Day | None = None


class WhichImpossible(Given):
    """Those bookings; all of them when none is named."""

    bookings: Annotated[list[Id], Field(max_length=200)] = []
    reason: Reason = ""


class Settled(Model):
    """`left` are the ones that are still to be settled."""

    settled: list[str]
    left: list[Impossible]


# --- closures ----------------------------------------------------------------------------------


@endpoint("GET", "/api/workshop/closures", who=Who.ANYONE)
async def list_closures(call: Call) -> Page[ClosedDay]:
    """The days from today on that are closed by hand."""
    async with call.read() as ctx:
        days = [ClosedDay(date=each.day, reason=each.reason) for each in await verbs.closed_days(ctx)]
    return Page(days, len(days))


@endpoint("POST", "/api/workshop/closures", who=Who.ADMIN, status=201)
async def close_days(call: Call, body: Closing) -> Closed:
    """Close days for new bookings; lists the bookings to be moved, cancelled or kept."""
    async with call.write() as ctx:
        days = await verbs.close_days(ctx, body.date, body.end_date or body.date, body.reason)
        affected = [each for each in await _impossible(ctx, call) if date.fromisoformat(each.scheduled_date) in days]
    return Closed(days=[ClosedDay(date=day, reason=body.reason) for day in days], affected=affected)


@endpoint("DELETE", "/api/workshop/closures/{id}", who=Who.ADMIN)
async def reopen_day(call: Call) -> ClosedDay:
    """Open a closed day again, by its date."""
    try:
        day = date.fromisoformat(call.id)
    except ValueError:
        raise NotFound from None
    async with call.write() as ctx:
        reason = next((each.reason for each in await verbs.closed_days(ctx) if each.day == day), "")
        if not await verbs.reopen_day(ctx, day):
            raise NotFound
    return ClosedDay(date=day, reason=reason)


# --- leave -------------------------------------------------------------------------------------


@endpoint("GET", "/api/technicians/{id}/leave", who=Who.STAFF)
async def list_leave(call: Call) -> Page[LeaveDay]:
    """A technician's leave from today on."""
    async with call.read() as ctx:
        days = [LeaveDay.of(each) for each in await verbs.leave_of(ctx, call.id)]
    return Page(days, len(days))


@endpoint("POST", "/api/technicians/{id}/leave", who=Who.ADMIN, status=201)
async def enter_leave(call: Call, body: LeaveWanted) -> LeaveEntered:
    """Enter leave, whole days or a part of each; lists the bookings to be moved, cancelled or kept."""
    period = LeavePeriod(
        first=body.start_date, last=body.end_date or body.start_date, begins=body.start_time, ends=body.end_time
    )
    async with call.write() as ctx:
        found = {booking.code for booking in await verbs.enter_leave(ctx, call.id, period)}
        leave = [LeaveDay.of(each) for each in await verbs.leave_of(ctx, call.id)]
        affected = [each for each in await _impossible(ctx, call) if each.id in found]
    return LeaveEntered(leave=leave, affected=affected)


@endpoint("DELETE", "/api/technicians/{id}/leave", who=Who.ADMIN)
async def end_leave(call: Call, query: LeaveEnded) -> Page[LeaveDay]:
    """End leave, all of it or on some days; returns what is left of it."""
    async with call.write() as ctx:
        first = query.start_date or ctx.shop.local(ctx.now).date()
        await verbs.end_leave(ctx, call.id, first, query.end_date)
        days = [LeaveDay.of(each) for each in await verbs.leave_of(ctx, call.id)]
    return Page(days, len(days))


# --- impossible bookings -----------------------------------------------------------------------


@endpoint("GET", "/api/bookings/impossible", who=Who.ADMIN)
async def list_impossible(call: Call) -> Page[Impossible]:
    """Bookings that can't be done as booked, until each is moved, cancelled or kept."""
    async with call.read() as ctx:
        found = await _impossible(ctx, call)
    return Page(found, len(found))


@endpoint("POST", "/api/bookings/impossible/move", who=Who.ADMIN)
async def move_impossible(call: Call, body: WhichImpossible) -> Settled:
    """Move them to the nearest free times; their customers are told."""
    return await _settle(call, body, verbs.move_to_nearest)


@endpoint("POST", "/api/bookings/impossible/cancel", who=Who.ADMIN)
async def cancel_impossible(call: Call, body: WhichImpossible) -> Settled:
    """Cancel them and refund everything; their customers are told."""

    async def cancel(ctx: Context, booking: Booking, *, actor: str) -> bool:
        await verbs.cancel(ctx, booking, reason=body.reason, actor=actor)
        return True

    return await _settle(call, body, cancel)


@endpoint("POST", "/api/bookings/{id}/keep", who=Who.ADMIN, also=(409,))
async def keep_booking(call: Call) -> BookingShown:
    """Do it as booked, in spite of what stands against it."""
    async with call.write() as ctx:
        await verbs.keep(ctx, await bookings.load(ctx.session, code=call.id), actor=call.member)
        return await again(ctx, call)


async def _settle(call: Call, body: WhichImpossible, settle: Callable[..., Awaitable[bool]]) -> Settled:
    """Each in a transaction of its own, so that none keeps another's customer waiting."""
    settled = list[str]()
    async with call.read() as ctx:
        found = [booking.code for booking in await impossible_bookings(ctx)]
    for code in found:
        if body.bookings and code not in body.bookings:
            continue
        async with call.write() as ctx:
            if await settle(ctx, await bookings.load(ctx.session, code=code), actor=call.member):
                settled.append(code)
        await call.commit()
    if not settled:
        call.message = say("api.done.none_settled")
    async with call.read() as ctx:
        return Settled(settled=settled, left=await _impossible(ctx, call))


async def _impossible(ctx: Context, call: Call) -> list[Impossible]:
    return [Impossible.of(call, booking, why) for booking, why in (await impossible_bookings(ctx)).items()]


def _clock(moment: time | None) -> str | None:
    return f"{moment:%H:%M}" if moment else None
