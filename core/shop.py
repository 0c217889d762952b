"""The owner's settings of the workshop, as one frozen value."""

import sys
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from core.money import Money

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _span(text: str) -> str:
    opens, _, closes = text.partition("-")
    if time.fromisoformat(opens) >= time.fromisoformat(closes):
        raise ValueError("the hours end before they begin")
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone (Asia/Jakarta, Asia/Makassar, Asia/Jayapura)") from None
    return name


class StaffMember(BaseModel):
    """One of the staff, known by chat identity and Clerk user."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    role: Literal["admin", "technician"]
    technician: str | None = None
    """The id of their row in the catalogue's technicians."""
    telegram: int | None = None
    whatsapp: str | None = Field(None, pattern=r"^\+[0-9]{8,15}$")
    clerk: str | None = None
    email: str | None = Field(None, pattern=r"^[^@\s]+@[^@\s]+$")
    """For an admin's alarms while no chat works; None: the workshop's own."""

    @property
    def addresses(self) -> tuple[tuple[str, str], ...]:
        """(channel, address) pairs as in `Contact`."""
        telegram = (("telegram", str(self.telegram)),) if self.telegram is not None else ()
        whatsapp = (("whatsapp", f"whatsapp:{self.whatsapp}"),) if self.whatsapp else ()
        return telegram + whatsapp


class Shop(BaseModel):
    """The workshop's own settings: sections `workshop` and `staff` of config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    address: str
    city: str
    contact: str
    email: str
    description: str = ""
    delivery: Annotated[str, Field(max_length=300)] = ""
    """What customers are told when they ask for delivery; empty: there is none, parts are picked up."""
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)
    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Jakarta"

    opening_hours: dict[Weekday, Annotated[str, AfterValidator(_span)] | None]
    """By weekday: "09:00-17:00", or null where closed."""
    closed_on_public_holidays: bool = True
    open_on: frozenset[date] = frozenset()
    """Public holidays on which the shop opens."""
    contact_hours: Annotated[str, AfterValidator(_span)] | None = "08:00-21:00"
    """Offers to the waitlist, reminders and whatever else nobody waits for are sent within them; None: at any time."""
    slot_minutes: int = Field(60, ge=15, le=240)
    max_bookings_per_slot: int = Field(3, ge=1, le=100)
    book_ahead_days: int = Field(60, ge=1, le=365)
    book_notice_minutes: int = Field(60, ge=0)

    hold_minutes: int = Field(60, ge=15, le=7 * 24 * 60)
    """How long a payment link, and the time, technician and parts it pays for, are held (Midtrans: 15 min to 7 days)."""
    down_payment_percents: tuple[int, ...] = (30, 40, 50)
    cancel_until_hours: int = Field(2, ge=0, le=720)
    """Until how many hours before the start a customer may cancel what is confirmed."""
    move_until_hours: int = Field(24, ge=0, le=720)
    """Until how many hours before the start a customer may move it."""
    max_moves: int = Field(2, ge=0)
    """How often a customer may move a booking."""
    kept_percents: dict[Annotated[int, Field(ge=1, le=720)], Annotated[int, Field(ge=0, le=100)]] = {24: 50}
    """What is kept of a down payment when a customer cancels less than so many hours before the start."""
    no_show_kept_percent: int = Field(100, ge=0, le=100)
    """What is kept of a down payment when the customer never came."""
    no_shows_tolerated: int = Field(1, ge=0)
    """After more no-shows than that a customer pays in full or the highest down payment, and not in cash."""
    offer_minutes: int = Field(30, ge=15, le=24 * 60)
    """How long an offer to the waitlist is held (a payment link lives at least 15 minutes)."""
    max_waits: int = Field(3, ge=1)
    """How many waitlist entries a customer may have at a time."""
    max_unpaid_bookings: int = Field(3, ge=1)
    max_quantity: int = Field(20, ge=1)
    """The most of one part in one booking."""
    onsite_fee: Money = Field(150_000, ge=0)
    onsite_radius_km: int | None = Field(None, ge=1, le=2000)
    """How far from the shop's coordinates a shared location may be; None: any distance."""
    onsite_districts: tuple[Annotated[str, Field(min_length=2)], ...] = ()
    """The districts of which a street address must name one; none: any address."""
    onsite_travel_minutes: int = Field(60, ge=0)
    """Added to the time an on-site job takes from the shop and its technician."""
    takeover_minutes: int = Field(120, ge=5, le=24 * 60)
    """How long after the admin's last message a taken-over conversation goes back to the bot."""
    charge_ppn: bool = False
    """Only a registered taxpayer (PKP) may charge PPN."""
    order_prefix: str = Field("A1", pattern=r"^[A-Za-z0-9]{1,10}$")
    """Part of every Midtrans order_id, so that a second installation on the same account can't collide."""

    staff: tuple[StaffMember, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Shop":
        if any(not 30 <= percent <= 50 for percent in self.down_payment_percents):
            raise ValueError("down_payment_percents must lie between 30 and 50")
        self._check_cancelling()
        if self.onsite_radius_km is not None and (self.latitude is None or self.longitude is None):
            raise ValueError("onsite_radius_km needs the workshop's latitude and longitude")
        if not any(self.opening_hours.values()):
            raise ValueError("opening_hours leaves the shop closed on every weekday")
        return self

    def _check_cancelling(self) -> None:
        later_first = [self.kept_percents[hours] for hours in sorted(self.kept_percents)]
        if later_first != sorted(later_first, reverse=True):
            raise ValueError("kept_percents must not keep less the nearer the start is")
        if any(hours <= self.cancel_until_hours for hours in self.kept_percents):
            raise ValueError("kept_percents has a deadline after cancel_until_hours, when nobody can cancel any more")
        if any(hours > self.move_until_hours for hours in self.kept_percents):
            raise ValueError("move_until_hours is after a deadline of kept_percents: moving would get round it")
        if self.no_show_kept_percent < max(later_first, default=0):
            raise ValueError("no_show_kept_percent must not be below kept_percents: staying away would be cheaper")

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def local(self, moment: datetime) -> datetime:
        """An aware moment in the workshop's time zone."""
        return moment.astimezone(self.zone)

    def at(self, day: date, clock: time) -> datetime:
        """The aware moment of a day and time of day at the workshop."""
        return datetime.combine(day, clock, self.zone)

    def weekly_hours(self, day: date) -> tuple[time, time] | None:
        """Opening and closing time by the weekday alone, None where closed; see `slots` for closures and holidays."""
        span = self.opening_hours.get(WEEKDAYS[day.weekday()])
        if span is None:
            return None
        opens, _, closes = span.partition("-")
        return time.fromisoformat(opens), time.fromisoformat(closes)

    def contact_time(self, moment: datetime) -> datetime:
        """That moment, or else when the next contact hours begin."""
        begins, ends = self._contact_hours(self.local(moment).date())
        if begins <= moment < ends:
            return moment
        return begins if moment < begins else self._contact_hours(self.local(moment).date() + timedelta(days=1))[0]

    def is_contact_time(self, moment: datetime) -> bool:
        return self.contact_time(moment) == moment

    def after_contact_time(self, moment: datetime, length: timedelta) -> datetime:
        """When so much time within the contact hours has gone by."""
        begins = self.contact_time(moment)
        left = self._contact_hours(self.local(begins).date())[1] - begins
        return begins + length if length <= left else self.after_contact_time(begins + left, length - left)

    def _contact_hours(self, day: date) -> tuple[datetime, datetime]:
        if self.contact_hours is None:
            return self.at(day, time()), self.at(day + timedelta(days=1), time())
        begins, _, ends = self.contact_hours.partition("-")
        return self.at(day, time.fromisoformat(begins)), self.at(day, time.fromisoformat(ends))

    @property
    def admin_addresses(self) -> tuple[tuple[str, str], ...]:
        """The admins' (channel, address) pairs."""
        return tuple(address for member in self.staff if member.role == "admin" for address in member.addresses)

    def addresses_of(self, technician_id: str) -> tuple[tuple[str, str], ...]:
        """A technician's (channel, address) pairs; none if no staff member is that technician."""
        return tuple(
            address for member in self.staff if member.technician == technician_id for address in member.addresses
        )

    def member_at(self, channel: str, address: str) -> StaffMember | None:
        """The staff member with that address."""
        return next((member for member in self.staff if (channel, address) in member.addresses), None)

    @property
    def staff_accounts(self) -> frozenset[str]:
        """The staff's Clerk users."""
        return frozenset(member.clerk for member in self.staff if member.clerk)

    def is_staff(self, clerk_user: str) -> bool:
        return clerk_user in self.staff_accounts

    def for_staff(self) -> "Shop":
        """The shop as staff books in it: without the limits that are made for customers."""
        unlimited = dict.fromkeys(("max_unpaid_bookings", "no_shows_tolerated"), sys.maxsize)
        return self.model_copy(update={"book_notice_minutes": 0} | unlimited)

    @property
    def takeover(self) -> timedelta:
        return timedelta(minutes=self.takeover_minutes)

    def earliest_start(self, now: datetime) -> datetime:
        """The first moment that can be booked."""
        return now + timedelta(minutes=self.book_notice_minutes)

    def last_day(self, now: datetime) -> date:
        """The last day that can be booked."""
        return self.local(now).date() + timedelta(days=self.book_ahead_days)

    def hold_end(self, starts_at: datetime, now: datetime) -> datetime:
        """When a hold ends: with its payment link, but never after the start."""
        return min(now + self.hold, starts_at)

    @property
    def hold(self) -> timedelta:
        return timedelta(minutes=self.hold_minutes)
