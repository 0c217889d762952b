"""The workshop, its slots, and who is free when."""

from typing import Annotated

from pydantic import Field

from core.shop import Weekday
from webhooks.api.models.fields import Clock, Day, Given, Model

Duration = Annotated[int, Field(ge=1, le=7 * 1440)]
"""Of a job, in minutes."""


class Hours(Model):
    """When a weekday begins and ends."""

    open: str
    close: str


class Coordinates(Model):
    """Where it is."""

    latitude: float
    longitude: float


class Workshop(Model):
    """The workshop; a weekday on which it is closed is null."""

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
    """Which day, and how long the job is that is to begin."""

    date: Day
    duration: Duration | None = None


class TimeSlot(Model):
    """A slot of a day with its load."""

    time: str
    bookings_count: int
    max_bookings: int
    is_available: bool


class FreeAt(Given):
    """When, and for how long, somebody is wanted."""

    date: Day
    time: Clock
    duration: Duration | None = None
