"""A simulated customer: what they want, what they say first, how they write, and what else happens on the way.

A persona is data. Dates are words of the week that begins on Monday 2026-11-23 at 08:00, when every persona begins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Words = str | tuple[str, ...]
"""What is said: one message, or several at once (a burst)."""


class Habit(StrEnum):
    """How somebody writes."""

    BURSTS = "one thought in several messages"
    TYPOS = "typos"
    SHORT = "chat abbreviations"
    BRIEF = "only the bare word"
    POLITE = "whole sentences"
    TAPS = "taps what can be tapped"
    NUMBERS = "answers with numbers"
    ENGLISH = "English"
    JAVANESE = "Javanese words"
    SUNDANESE = "Sundanese words"


class End(StrEnum):
    """What has to stand in the database in the end."""

    BOOKED = "a confirmed booking"
    UNPAID = "a booking that isn't paid yet"
    CANCELLED = "a cancelled booking"
    WAITING = "a place in the waitlist"
    ALERT = "an alert for a sold-out part"
    NOTHING = "no booking"
    ERASED = "no personal data"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person wants to have booked; it says what they answer, and what the outcome is compared with."""

    parts: Sequence[str] = ()
    """Ids of the catalogue, or a category if any part of it will do."""
    services: Sequence[str] = ()
    """Ids of the catalogue; with parts and without services, the work that installs them is wanted."""
    parts_only: bool = False
    count: int = 1
    """Pieces of each part."""
    at_most: int | None = None
    """The budget for the part, in rupiah."""
    car: str = "Avanza 2018"
    day: str = "rabu"
    """"" is any day."""
    hour: int | None = 10
    """None is any hour."""
    technician: str = ""
    """"" is anyone."""
    without: str = ""
    """Anyone but this technician."""
    address: str = ""
    """Where the work is done; "" is the workshop."""
    pay: str = "full"
    """full, cash, or the percent of a down payment."""
    by: str = "qris"
    """qris, gopay, va or card: what is used on the payment page."""
    name: str = "Budi Santoso"
    phone: str = "0812-3456-7890"
    email: str = ""
    plate: str = ""


@dataclass(frozen=True, slots=True)
class At:
    """Said instead of the answer, the first time one of these questions is on the screen."""

    questions: str
    """Their kinds (`screen.py`), joined by "|"."""
    says: Words = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    """What the person wants from here on."""
    away: float = 0
    """Hours that the person does something else first."""
    photo: bool = False
    """A picture is sent with it."""
    taken: tuple[str, int] | None = None
    """A day and an hour that others take just before."""


def at(
    questions: str,
    *says: str,
    away: float = 0,
    photo: bool = False,
    taken: tuple[str, int] | None = None,
    **changes: Any,
) -> At:
    """Shorthand for an `At` whose changes are keywords."""
    return At(questions, says[0] if len(says) == 1 else says, changes, away, photo, taken)


@dataclass(frozen=True, slots=True)
class Then:
    """Another concern, once the one before is settled."""

    says: Words = ()
    taps: str = ""
    """A pattern of the buttons that serve it."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    away: float = 0
    photo: bool = False
    after_the_job: bool = False
    """The technician does the job first."""


def then(
    *says: str, taps: str = "", away: float = 0, photo: bool = False, after_the_job: bool = False, **changes: Any
) -> Then:
    """Shorthand for a `Then` whose changes are keywords."""
    return Then(says[0] if len(says) == 1 else says, taps, changes, away, photo, after_the_job)


@dataclass(frozen=True, slots=True)
class Persona:
    """One simulated customer."""

    name: str
    says: Words
    wish: Wish
    habits: frozenset[Habit] = frozenset()
    on_the_way: Sequence[At] = ()
    goes_on: Sequence[str] = ()
    """Said one after the other when the shop asks nothing and there is no booking yet."""
    later: Sequence[Then] = ()
    end: End = End.BOOKED
    also: Sequence[Wish] = ()
    """Further bookings that are wanted: a second car."""
    staff_hear: Sequence[str] = ()
    """Patterns of what the shop's people must have received."""
    staff_see_a_photo: bool = False
    full: Sequence[tuple[str, int]] = ()
    """Days and hours that others have taken."""
    channel: str = ""
    """telegram or whatsapp; "" is whichever comes next."""
    pays: bool = True


def habits(*some: Habit) -> frozenset[Habit]:
    return frozenset(some)
