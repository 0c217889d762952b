"""/api/workshop, its slots, and who is free when."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, ClassVar, Self

from pydantic import AliasChoices, ConfigDict, Field, model_validator

from core import shop_settings
from core.booking import review
from core.messaging.messages import Say
from core.schedule import availability, slots
from core.schedule.availability import SlotAvailability
from core.shop import WEEKDAYS, Shop, Weekday
from webhooks.api.answers import refusal_text
from webhooks.api.endpoint import Call, Page, Who, endpoint
from webhooks.api.models.catalogue import Worker
from webhooks.api.models.fields import (
    Address,
    Clock,
    Day,
    Email,
    FromJson,
    FromText,
    Given,
    Model,
    NoneIfBlank,
    Prose,
    Word,
    wrong,
)
from webhooks.app import language_of

_A_MONDAY = date(2024, 1, 1)
Duration = Annotated[int, Field(ge=1, le=7 * 1440)]  # minutes


class Hours(Model):
    open: str
    close: str


class Coordinates(Model):
    """Under both pairs of names that front ends read."""

    latitude: float
    longitude: float
    lat: float
    lng: float


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


class HoursGiven(Given):
    open: Clock
    close: Clock

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.open >= self.close:
            raise wrong("hours")
        return self


class CoordinatesGiven(Given):
    model_config = ConfigDict(allow_inf_nan=False)

    latitude: Annotated[float, Field(ge=-90, le=90, validation_alias=AliasChoices("latitude", "lat"))]
    longitude: Annotated[float, Field(ge=-180, le=180, validation_alias=AliasChoices("longitude", "lng"))]


class WorkshopChange(Given):
    """Missing fields and weekdays stay as they are, a weekday with blank hours is closed; `timeSlots` follow from the
    hours.
    """

    may_be_blank: ClassVar[frozenset[str]] = frozenset({"description"})

    name: Word | None = None
    address: Address | None = None
    city: Word | None = None
    contact: Word | None = None
    email: Email | None = None
    description: Prose | None = None
    opening_hours: Annotated[dict[Weekday, Annotated[HoursGiven | None, NoneIfBlank]], FromJson] | None = None
    max_bookings_per_slot: Annotated[int, FromText, Field(ge=1, le=100)] | None = None
    coordinates: Annotated[CoordinatesGiven | None, NoneIfBlank] = None

    def settings(self, shop: Shop) -> dict[str, object]:
        """The given fields by their names in `Shop`, in JSON's types."""
        simple = self.model_dump(by_alias=False, exclude_none=True, exclude={"opening_hours", "coordinates"})
        place = self.coordinates.model_dump(by_alias=False) if self.coordinates else {}
        if self.opening_hours is None:
            return simple | place
        spans = {
            day: f"{hours.open:%H:%M}-{hours.close:%H:%M}" if hours else None
            for day, hours in self.opening_hours.items()
        }
        return simple | place | {"opening_hours": shop.opening_hours | spans}


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
    return _shown(call.api.shop)


@endpoint("PUT", "/api/workshop", who=Who.ADMIN)
async def update_workshop(call: Call, body: WorkshopChange) -> Workshop:
    """Change the workshop's settings over those of its configuration file, for REST and chat alike."""
    async with call.write() as ctx:
        shop = await shop_settings.change(ctx.session, ctx.shop, body.settings(ctx.shop))
        await review(replace(ctx, shop=shop))  # which bookings the new hours make impossible
    await call.commit()
    call.api.use(shop)
    return _shown(shop)


def _shown(shop: Shop) -> Workshop:
    week = [_A_MONDAY + timedelta(days=number) for number in range(7)]
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
        coordinates=_coordinates(shop),
    )


def _coordinates(shop: Shop) -> Coordinates | None:
    if shop.latitude is None or shop.longitude is None:
        return None
    return Coordinates(latitude=shop.latitude, longitude=shop.longitude, lat=shop.latitude, lng=shop.longitude)


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
    call.message = message
    return Page(shown, len(shown))


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
    return Page([Worker.of(technician, call.api.file_link) for technician in free], len(free))
