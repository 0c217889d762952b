"""/api/workshop, its slots, and who is free when."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from core.messaging.messages import Say
from core.schedule import availability, slots
from core.schedule.availability import SlotAvailability
from core.shop import WEEKDAYS, Weekday
from webhooks.api.answers import refusal_text
from webhooks.api.endpoint import Call, Page, Who, endpoint
from webhooks.api.models.catalogue import Worker
from webhooks.api.models.fields import Clock, Day, Given, Model
from webhooks.app import language_of

_A_MONDAY = date(2024, 1, 1)
Duration = Annotated[int, Field(ge=1, le=7 * 1440)]  # minutes


class Hours(Model):
    open: str
    close: str


class Coordinates(Model):
    latitude: float
    longitude: float


class Workshop(Model):
    """A weekday on which the workshop is closed is null."""

    name: str
    address: str
    city: str
    contact: str
    email: str
    description: str
    timezone: str
    opening_hours: dict[Weekday, Hours | None]
    time_slots: list[str]
    max_bookings_per_slot: int
    coordinates: Coordinates | None


class SlotsOf(Given):
    date: Day
    duration: Duration | None = None


class TimeSlot(Model):
    time: str
    bookings_count: int
    max_bookings: int
    is_available: bool
    reason: str | None
    """Why it isn't available, as the code of the refusal."""


class FreeAt(SlotsOf):
    time: Clock


@endpoint("GET", "/api/workshop", who=Who.ANYONE)
async def get_workshop(call: Call) -> Workshop:
    """The workshop, its opening hours and slots."""
    shop = call.api.shop
    week = [_A_MONDAY + timedelta(days=number) for number in range(7)]
    located = shop.latitude is not None and shop.longitude is not None
    return Workshop(
        name=shop.name,
        address=shop.address,
        city=shop.city,
        contact=shop.contact,
        email=shop.email,
        description=shop.description,
        timezone=shop.timezone,
        opening_hours={
            name: Hours(open=f"{hours[0]:%H:%M}", close=f"{hours[1]:%H:%M}")
            if (hours := shop.weekly_hours(day))
            else None
            for name, day in zip(WEEKDAYS, week, strict=True)
        },
        time_slots=sorted({f"{start:%H:%M}" for day in week for start in slots.starts(day, shop)}),
        max_bookings_per_slot=shop.max_bookings_per_slot,
        coordinates=Coordinates(latitude=shop.latitude or 0, longitude=shop.longitude or 0) if located else None,
    )


@endpoint("GET", "/api/workshop/timeslots", who=Who.ANYONE)
async def list_timeslots(call: Call, query: SlotsOf) -> Page[TimeSlot]:
    """A day's slots with their occupancy; with a duration, whether a job that long can start."""
    async with call.read() as ctx:
        day = await availability.slots_of_day(ctx, query.date, minutes=query.duration)
        closed = None if day else await availability.why_closed(ctx, query.date, language=language_of(call.request))
        message = closed or _why_none(day)
    shown = [
        TimeSlot(
            time=f"{call.api.shop.local(slot.starts_at):%H:%M}",
            bookings_count=slot.taken,
            max_bookings=slot.cap,
            is_available=slot.free,
            reason=slot.why_not.code if slot.why_not else None,
        )
        for slot in day
    ]
    return Page(shown, len(shown), call.render(message) if message else None)


def _why_none(day: Sequence[SlotAvailability]) -> Say | None:
    """Why nothing of a day is available, where it is one reason."""
    reasons = {slot.why_not.code if slot.why_not else None: slot.why_not for slot in day}
    [why] = reasons.values() if len(reasons) == 1 else [None]
    return refusal_text(why) if why else None


@endpoint("GET", "/api/technicians/available", who=Who.ANYONE)
async def list_free_technicians(call: Call, query: FreeAt) -> Page[Worker]:
    """Technicians without another job at that time."""
    async with call.read() as ctx:
        starts_at, minutes = ctx.shop.at(query.date, query.time), query.duration or ctx.shop.slot_minutes
        free = await availability.free_technicians(ctx, starts_at, minutes, skills=frozenset())
    return Page([Worker.of(technician) for technician in free], len(free))
