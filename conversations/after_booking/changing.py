"""A customer changes what a booking holds, by words or buttons, on terms that are shown before.

"nambah kamera mundur", [Ubah pesanan] ──> WhichBooking ─ What ─ WhichPart ─ WhichTechnician ─ WhichAddress ─ Agreed
                                                                                ──> core.booking.change

What a customer can't change is refused with its reason and handed to the admins.
"""

from collections import Counter
from dataclasses import replace
from operator import attrgetter
from typing import Any

from conversations import person
from conversations.after_booking import wanted_change
from conversations.after_booking.wanted_change import from_answer, wanted_of, with_part
from conversations.booking.who import MAX_ADDRESS_LENGTH, MIN_ADDRESS_LENGTH
from conversations.registry import action, to_booking
from conversations.shelf import PartOptions
from conversations.turn import Flow, Question, Step, Turn, Who, YesNo, question
from conversations.understand.answers import read_yes_no
from core.booking import ChangeTerms, Order, change, change_terms, order_of
from core.catalogue import snapshot
from core.db.tables import Booking
from core.messaging.messages import Option, Say, say
from core.refusals import (
    AddressMissing,
    BadQuantity,
    InsufficientStock,
    NothingToChange,
    NotOnsite,
    OutsideDistricts,
    OutsideHours,
    Refusal,
    SlotFull,
    TechnicianBusy,
    TooFarAway,
)
from core.schedule import availability, bookings
from core.states import BookingStatus, CallReason, Location

MAX_BOOKINGS = 20
"""The newest ones, among which the customer chooses."""
_STANDING = (BookingStatus.PENDING, BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS)
_CAN_CHOOSE_OTHERWISE = (
    AddressMissing,
    BadQuantity,
    InsufficientStock,
    NothingToChange,
    NotOnsite,
    OutsideDistricts,
    OutsideHours,
    SlotFull,
    TechnicianBusy,
    TooFarAway,
)
"""Refusals after which the customer may want something else; any other needs a person."""


@action("change", who=Who.CUSTOMER)
async def begin(turn: Turn, code: str) -> Question | None:
    booking = await turn.own_booking(code)
    turn.state.begin(CHANGE.name, about=booking.code)
    return None


async def take_up(turn: Turn) -> bool:
    """Begin to change the booking that stands, if the message wants that; with several, the customer chooses."""
    fitting = [each for each in await _standing(turn) if wanted_of(turn, order_of(each)) is not None]
    if not fitting:
        return False
    one = fitting[0] if len(fitting) == 1 else None
    turn.state.begin(CHANGE.name, about=one.code if one else None)
    if one is None:
        turn.state.put("words", turn.incoming.text or "")
    else:
        _take(turn, one)
    return True


async def _standing(turn: Turn) -> list[Booking]:
    own = await bookings.of_customer(turn.session, turn.contact.customer_id, limit=MAX_BOOKINGS)
    return sorted(
        (
            each
            for each in own
            if each.status in _STANDING and (each.starts_at > turn.now or each.status is BookingStatus.IN_PROGRESS)
        ),
        key=attrgetter("starts_at"),
    )


async def _booking(turn: Turn) -> Booking:
    return await turn.own_booking(turn.state.about or "")


def _order(turn: Turn, booking: Booking) -> Order:
    """The booking as it is wanted so far."""
    return from_answer(order_of(booking), turn.state.get("change", {}))


def _take(turn: Turn, booking: Booking) -> bool:
    """Take what the message wants changed."""
    wanted = wanted_of(turn, _order(turn, booking))
    if wanted is None:
        return False
    _keep(turn, wanted.order)
    if "part" in wanted.asks:
        choice = {"parts": wanted.parts, "instead": wanted.instead, "quantity": wanted.quantity}
        turn.state.put("choose_part", choice)
    if "technician" in wanted.asks:
        turn.state.put("choose_technician", list(wanted.not_by))
    if "address" in wanted.asks:
        turn.state.put("choose_address", True)
    return True


def _keep(turn: Turn, order: Order) -> None:
    turn.state.put("change", wanted_change.as_answer(order))
    turn.state.drop("change_what", Agreed.name)


class _OfBooking(Step):
    """A step that takes any words about the change, too."""

    async def absorb(self, turn: Turn) -> bool:
        return turn.state.about is not None and _take(turn, await _booking(turn))


class WhichBooking(Step):
    name = "change_which"

    def needed(self, turn: Turn) -> bool:
        return turn.state.about is None

    async def ask(self, turn: Turn) -> Question:
        return question(
            say("mine.which"),
            options=[
                Option(each.code, say("slot.day_and_time", at=turn.shop.local(each.starts_at)), each.code)
                for each in await _standing(turn)
            ],
            button=say("button.bookings"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        booking = await turn.own_booking(option)
        turn.state.about = booking.code
        turn.reread(turn.state.get("words", ""))
        _take(turn, booking)
        return True


class What(_OfBooking):
    """What is to be changed, as long as nothing was said."""

    name = "change_what"

    def needed(self, turn: Turn) -> bool:
        said = ("change", "choose_part", "choose_technician", "choose_address")
        return not any(answer in turn.state for answer in said)

    async def ask(self, turn: Turn) -> Question:
        booking = await _booking(turn)
        if "adding" in turn.state:
            return question(say("changing.what_to_add"), always=[_STAY])
        return question(
            say("changing.begins", code=booking.code, at=turn.shop.local(booking.starts_at)),
            options=[
                Option("add", say("changing.option.add")),
                Option("technician", say("changing.option.technician")),
                Option("place", say("changing.option.place")),
            ],
            always=[_STAY, Option("human", say("option.human"))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        match option:
            case "add":
                turn.state.put("adding", True)
            case "technician":
                turn.state.put("choose_technician", [])
            case "place":
                _other_place(turn, _order(turn, await _booking(turn)))
            case "human":
                booking = await _booking(turn)
                turn.state.begin(None)
                turn.remarks.append(await person.call(turn, CallReason.ASKED, booking))
            case _:
                _give_up(turn)
        return True

    async def absorb(self, turn: Turn) -> bool:
        """Goods alone are to be added, once the customer said that something is."""
        if turn.state.about is None:
            return False
        if "adding" in turn.state and (turn.understood.parts or turn.understood.categories or turn.understood.services):
            turn.reread(f"tambah {turn.incoming.text} sekalian")
            return _take_with(turn, await _booking(turn), f"tambah {turn.incoming.text} sekalian")
        return await super().absorb(turn)


def _take_with(turn: Turn, booking: Booking, words: str) -> bool:
    said = turn.incoming
    turn.incoming = replace(said, text=words)
    taken = _take(turn, booking)
    turn.incoming = said
    return taken


def _other_place(turn: Turn, order: Order) -> None:
    if order.location is Location.ONSITE:
        _keep(turn, replace(order, location=Location.WORKSHOP, address=None, latitude=None, longitude=None))
    else:
        _keep(turn, replace(order, location=Location.ONSITE))
        turn.state.put("choose_address", True)


class WhichPart(_OfBooking):
    name = "change_part"

    def needed(self, turn: Turn) -> bool:
        return "choose_part" in turn.state

    async def ask(self, turn: Turn) -> Question:
        choice: dict[str, Any] = turn.state.get("choose_part", {})
        known = turn.catalogue.parts
        stock = await snapshot.stock(turn.session, choice["parts"])
        parts = [known[each] for each in choice["parts"] if each in known and stock.get(each, 0) > 0]
        if not parts:
            turn.state.drop("choose_part", "change")
            turn.remark("changing.sold_out")
            return await What().ask(turn)
        return question(
            say("changing.which_part"),
            options=PartOptions([(part, None) for part in parts], stock),
            always=[_STAY],
            button=say("button.part"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        if option == _STAY.id:
            return _give_up(turn)
        part = turn.catalogue.parts.get(option)
        choice: dict[str, Any] = turn.state.get("choose_part", {})
        if part is None or "parts" not in choice:
            return False
        order = _order(turn, await _booking(turn))
        _keep(turn, with_part(turn.catalogue, order, part, choice["quantity"], choice["instead"]))
        turn.state.drop("choose_part")
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        offered = turn.state.get("choose_part", {}).get("parts", ())
        named = [each for each in turn.understood.parts if each in offered]
        return await self.choose(turn, named[0]) if len(named) == 1 else await self.absorb(turn)


class WhichTechnician(_OfBooking):
    name = "change_technician"

    def needed(self, turn: Turn) -> bool:
        return "choose_technician" in turn.state

    async def ask(self, turn: Turn) -> Question:
        booking = await _booking(turn)
        unwanted = {*turn.state.get("choose_technician", ()), booking.technician_id}
        able = await availability.able_technicians(
            turn.ctx,
            booking.starts_at,
            booking.ends_at,
            skills=await bookings.required_skills(turn.session, booking),
            moving=booking.id,
        )
        free = [Option(each.id, each.name) for each in able if each.id not in unwanted]
        if not free:
            turn.remark("changing.nobody", at=turn.shop.local(booking.starts_at))
        return question(
            say("changing.which_technician"),
            options=free,
            always=[*([] if free else [Option("human", say("option.human"))]), _STAY],
            button=say("button.technician"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        booking = await _booking(turn)
        if option == _STAY.id:
            return _give_up(turn)
        if option == "human":
            return await What().choose(turn, option)
        turn.state.drop("choose_technician")
        _keep(turn, replace(_order(turn, booking), technician_id=option))
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        if turn.understood.technician_id:
            return await self.choose(turn, turn.understood.technician_id)
        return await self.absorb(turn)


class WhichAddress(_OfBooking):
    name = "change_address"
    free_text = True

    def needed(self, turn: Turn) -> bool:
        return "choose_address" in turn.state

    async def ask(self, turn: Turn) -> Question:
        return question(say("changing.where"), always=[_STAY], wants="location")

    async def choose(self, turn: Turn, option: str) -> bool:
        return _give_up(turn)

    async def read(self, turn: Turn, text: str) -> bool:
        place = turn.incoming.place
        if place is None and not MIN_ADDRESS_LENGTH <= len(text) <= MAX_ADDRESS_LENGTH:
            return False
        order = _order(turn, await _booking(turn))
        at = (place.address, place.latitude, place.longitude) if place else (text, None, None)
        _keep(turn, replace(order, address=at[0], latitude=at[1], longitude=at[2]))
        turn.state.drop("choose_address")
        return True


class Agreed(_OfBooking, YesNo):
    """The terms, and the button that carries them."""

    name = "change_agreed"
    no = "stay"
    reopened_by = _CAN_CHOOSE_OTHERWISE

    async def ask(self, turn: Turn) -> Question:
        booking = await _booking(turn)
        order = _order(turn, booking)
        try:
            terms = await change_terms(turn.ctx, booking, order)
        except _CAN_CHOOSE_OTHERWISE as refusal:
            turn.remark_refusal(refusal)
            self.reopen(turn, refusal)
            return replace(await What().ask(turn), asks=What.name)
        except Refusal as refusal:
            return await _hand_over(turn, await _booking(turn), refusal)
        booking = await _booking(turn)
        return question(
            say(
                "changing.sure",
                code=booking.code,
                at=turn.shop.local(booking.starts_at),
                lines=[*_differences(turn, booking, order), *_money(terms, booking, turn)],
            ),
            options=[Option(_as_button(terms), say("option.change_it"))],
            always=[_STAY],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        if option == _STAY.id:
            return _give_up(turn)
        turn.state.put(self.name, option)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        agreed = read_yes_no(text)
        if agreed is None:
            return await self.absorb(turn)
        shown = next((option for option, _ in turn.state.shown if option.startswith("yes:")), None)
        return await self.choose(turn, shown if agreed and shown else _STAY.id)

    def reopen(self, turn: Turn, refusal: Refusal) -> None:
        turn.state.drop("change", "adding", self.name)


async def _finish(turn: Turn) -> Question:
    booking = await _booking(turn)
    order = _order(turn, booking)
    terms_now = _as_button(await change_terms(turn.ctx, booking, order))
    if turn.state.get(Agreed.name) != terms_now:
        turn.state.drop(Agreed.name)
        turn.state.put("shown_again", terms_now)  # so that they are asked in full
        turn.remark("changing.changed")
        return replace(await Agreed().ask(turn), asks=Agreed.name)
    terms = await change(turn.ctx, await _booking(turn), order, actor=bookings.CUSTOMER)
    code, _ = turn.state.close()
    follows = [say("changing.link_follows", rest=terms.rest)] if terms.by_link else []
    back = [say("changing.line.back", back=terms.back)] if terms.back else []
    paper = [say("changed.invoice")] if terms.invoice else []
    says = [say("changing.done", code=code), *back, *paper, *follows]
    return question(*says, options=[to_booking(code)], document=terms.invoice)


async def _refused(_: Turn, code: str) -> Question:
    return question(options=[to_booking(code), Option("human", say("option.human"))])


async def _hand_over(turn: Turn, booking: Booking, refusal: Refusal) -> Question:
    """Say why it can't be changed here, and give the admins what is wanted."""
    why = say(f"refusal.{refusal.code}", **refusal.params)
    turn.state.begin(None)
    about = say("staff.asks_change", code=booking.code, why=why)
    told = await person.call(turn, CallReason.OTHER, booking, about=about)
    return question(why, told, options=[to_booking(booking.code)])


def _give_up(turn: Turn) -> bool:
    turn.state.begin(None)
    turn.remark("changing.given_up")
    return True


def _as_button(terms: ChangeTerms) -> str:
    return f"yes:{terms.total}:{terms.back}:{terms.rest}"


def _differences(turn: Turn, booking: Booking, order: Order) -> list[Say]:
    before, names = order_of(booking), {line.part_id or line.service_id: line.name for line in booking.lines}
    names |= {each: turn.catalogue.parts[each].name for each, _ in order.parts if each in turn.catalogue.parts}
    names |= {each: turn.catalogue.services[each].name for each in order.services if each in turn.catalogue.services}
    was, now = Counter(dict(before.parts)), Counter(dict(order.parts))
    was.update(dict.fromkeys(before.services, 1))
    now.update(dict.fromkeys(order.services, 1))
    lines = [say("changing.line.minus", quantity=count, name=names[each]) for each, count in (was - now).items()]
    lines += [say("changing.line.plus", quantity=count, name=names[each]) for each, count in (now - was).items()]
    if order.technician_id and order.technician_id != before.technician_id:
        technician = turn.catalogue.technicians[order.technician_id]
        lines.append(say("changing.line.technician", name=technician.name))
    if order.location is Location.WORKSHOP and before.location is Location.ONSITE:
        lines.append(say("changing.line.workshop"))
    elif (order.address, order.latitude) != (before.address, before.latitude):
        lines.append(say("changing.line.onsite", place=order.address or say("notice.line.shared_place")))
    if order.car_model != before.car_model or order.car_year != before.car_year:
        lines.append(say("changing.line.car", car=f"{order.car_brand} {order.car_model} {order.car_year}"))
    return lines


def _money(terms: ChangeTerms, booking: Booking, turn: Turn) -> list[Say]:
    same = terms.total == terms.was
    lines = [] if terms.ends_at == turn.shop.local(booking.ends_at) else [say("changing.line.until", at=terms.ends_at)]
    total = "changing.line.same_total" if same else "changing.line.total"
    lines.append(say(total, total=terms.total) if same else say(total, was=terms.was, total=terms.total))
    lines += [say("changing.line.back", back=terms.back)] if terms.back else []
    return lines + ([say("changing.line.rest", rest=terms.rest)] if terms.rest and not same else [])


_STAY = Option("stay", say("option.stay"))
STEPS = (WhichBooking(), What(), WhichPart(), WhichTechnician(), WhichAddress(), Agreed())
CHANGE = Flow("change", STEPS, _finish, refused=_refused, cancelled="changing.given_up")
