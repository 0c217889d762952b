"""The workshop, its slots, and who is free when."""

from typing import Annotated

from pydantic import Field

from core.shop import Weekday
from webhooks.api.models.fields import Clock, Day, Given, Model

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
    """A day, and the duration of the job that is to start."""

    date: Day
    duration: Duration | None = None


class TimeSlot(Model):
    """A slot with its occupancy."""

    time: str
    bookings_count: int
    max_bookings: int
    is_available: bool


class FreeAt(Given):
    """A time, and the duration of the job."""

    date: Day
    time: Clock
    duration: Duration | None = None
