"""What the answers of a booking add up to so far."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time

from conversations.state import ORDER
from conversations.turn import Turn, Who
from conversations.understand.contacts import read_name
from core.booking import BookingRequest, Order
from core.db.tables import Booking, Part
from core.pricing.installations import times_of, usual_installation
from core.schedule import bookings
from core.states import Actor, Location, PaymentMethod


@dataclass(frozen=True, slots=True)
class Job:
    """What a slot is needed for: a new booking, or one that is rescheduled."""

    minutes: int
    skills: frozenset[str]
    moved: Booking | None = None

    @property
    def moved_id(self) -> int | None:
        """The booking whose own seats count as free."""
        return self.moved.id if self.moved else None


def basket(turn: Turn) -> list[tuple[str, int]]:
    """The chosen parts: (part id, quantity), without those that have left the catalogue."""
    return [(part, count) for part, count in turn.state.get("basket", []) if part in turn.catalogue.parts]


def basket_parts(turn: Turn) -> list[Part]:
    return [turn.catalogue.parts[part] for part, _ in basket(turn)]


def put_in_basket(turn: Turn, part: str, count: int) -> None:
    """Set the quantity of a part; 0 removes it, with what was decided about its fit."""
    kept = {known: many for known, many in basket(turn) if known != part} | ({part: count} if count else {})
    turn.state.put("basket", [list(item) for item in kept.items()])
    turn.state.recheck("time", "technician")  # the quantity multiplies the installation
    if not count:
        decided = {known: word for known, word in turn.state.get("fits", {}).items() if known != part}
        turn.state.put("fits", decided)


def services(turn: Turn) -> list[str]:
    """The chosen services, and the usual installation of each part, unless the customer wants the parts alone."""
    known = turn.catalogue.services
    chosen = [service for service in turn.state.get("services", []) if service in known]
    if "serviced" in turn.state:
        return chosen
    covered = {category for service in chosen for category in known[service].installs}
    usual = (usual_installation(part, known.values()) for part in basket_parts(turn) if part.category not in covered)
    return list(dict.fromkeys([*chosen, *filter(None, usual)]))


def times(turn: Turn) -> dict[str, int]:
    """How often each chosen service is done."""
    pieces = Counter[str]()
    for part, count in basket(turn):
        pieces[turn.catalogue.parts[part].category] += count
    return times_of(services(turn), turn.catalogue.services, pieces, turn.state.get("times", {}))


def location(turn: Turn) -> Location:
    return Location(turn.state.get("location", Location.WORKSHOP))


def minutes(turn: Turn) -> int:
    """Length of the job: its services and the travel, at least one slot."""
    work = sum(turn.catalogue.services[service].minutes * count for service, count in times(turn).items())
    travel = turn.shop.onsite_travel_minutes if location(turn) is Location.ONSITE else 0
    return max(work + travel, turn.shop.slot_minutes)


def skills(turn: Turn) -> frozenset[str]:
    needed = (turn.catalogue.services[service].skill for service in services(turn))
    return frozenset(skill for skill in needed if skill)


async def job(turn: Turn) -> Job:
    if turn.state.about is None:
        return Job(minutes(turn), skills(turn))
    booking = await bookings.load(turn.session, code=turn.state.about)
    return Job(booking.minutes, await bookings.required_skills(turn.session, booking), booking)


def day(turn: Turn) -> date | None:
    stored = turn.state.get("date")
    return date.fromisoformat(stored) if stored else None


def starts_at(turn: Turn) -> datetime | None:
    chosen, clock = day(turn), turn.state.get("time")
    return turn.shop.at(chosen, time.fromisoformat(clock)) if chosen and clock else None


def chosen_start(turn: Turn) -> datetime:
    """As `starts_at`, for what is asked or done after the slot."""
    at = starts_at(turn)
    if at is None:
        raise LookupError("the slot is asked before")
    return at


def technician_id(turn: Turn) -> str | None:
    """The chosen technician, None for anyone."""
    chosen = turn.state.get("technician")
    return chosen if chosen in turn.catalogue.technicians else None


def awaited_part(turn: Turn) -> str | None:
    """The part out of stock that the customer waits for."""
    return still_in_basket(turn, "awaits_part")


def still_in_basket(turn: Turn, answer: str) -> str | None:
    """The part that was stored as this answer, while it is in the basket."""
    part = turn.state.get(answer)
    return part if part in dict(basket(turn)) else None


def is_for_waitlist(turn: Turn) -> bool:
    """Whether this order goes on the waitlist: for a part, or for the full slot that was chosen."""
    at, awaited = starts_at(turn), turn.state.get("awaits_slot")
    return awaited_part(turn) is not None or (at is not None and at.isoformat() == awaited)


def name(turn: Turn) -> str | None:
    """The name that was given, or the customer's, or that of the profile, which not every message carries."""
    return turn.state.get("name") or turn.contact.customer.name or profile_name(turn)


def profile_name(turn: Turn) -> str | None:
    return read_name(turn.incoming.name or turn.state.called or "")


def phone(turn: Turn) -> str | None:
    return turn.state.get("phone") or turn.contact.customer.phone


def is_worth_keeping(turn: Turn) -> bool:
    """Whether an open order holds something that the customer would have to say again."""
    kept = any(answer in turn.state for answer in ("basket", "services", "date", "time", "address"))
    return turn.state.parked is not None or (turn.state.flow == ORDER and kept)


def request(turn: Turn) -> BookingRequest:
    state = turn.state
    plan, address = state.get("plan", "full"), state.get("address") or {}
    order = Order(
        name=name(turn) or "",
        phone=phone(turn) or "",
        email=state.get("email") or None,
        car_brand=state.get("brand"),
        car_model=state.get("model"),
        car_year=state.get("year"),
        plate=state.get("plate") or None,
        location=location(turn),
        address=address.get("text"),
        latitude=address.get("latitude"),
        longitude=address.get("longitude"),
        starts_at=chosen_start(turn),
        technician_id=technician_id(turn),
        parts=tuple(basket(turn)),
        services=tuple(services(turn)),
        times=tuple(turn.state.get("times", {}).items()),
        method=PaymentMethod(state.get("method") or PaymentMethod.ANY),
        down_payment_percent=None if plan == "full" else int(plan),
    )
    return BookingRequest(
        order=order,
        customer_id=turn.contact.customer_id,
        contact_id=turn.contact.id,
        language=turn.contact.language,
        code=turn.new_code,
        made_by=turn.staff.name if turn.may(Who.ADMIN) else Actor.CUSTOMER,
    )


def car(turn: Turn) -> tuple[str, str, int] | None:
    """Brand, model and year; None until all are given."""
    brand, model, year = (turn.state.get(name) for name in ("brand", "model", "year"))
    return (brand, model, year) if brand and model and year else None


def car_name(turn: Turn) -> str:
    return " ".join(map(str, car(turn) or ()))
