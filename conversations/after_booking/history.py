"""What a customer does with a job under way or behind: answers a cost, rates it, looks back, books it again.

An action returns what to say, or None to go on with the open flow; it raises a `Refusal`.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import date
from typing import Any

from conversations import actions
from conversations.turn import Flow, Question, Step, Turn, question
from conversations.understand.answers import read_skip
from core import media, work
from core.db.tables import AdditionalCost, Booking, BookingEvent, WorkNote
from core.messaging.messages import Document, Option, Say, say
from core.refusals import NotFound
from core.schedule import bookings
from core.states import Location
from core.work import History, warranty

LONGEST_COMMENT = 1000
MOST_BOOKINGS = 20
"""Whose warranties are listed, the newest first."""


async def agree(turn: Turn, cost: str) -> Question:
    """Agree to an additional cost; what it means for the price comes as a message of its own."""
    return await _decide(turn, cost, agreed=True)


async def refuse(turn: Turn, cost: str) -> Question:
    """Refuse an additional cost; it is never billed."""
    return await _decide(turn, cost, agreed=False)


async def rate(turn: Turn, argument: str) -> Question | None:
    """Give a completed job its stars, then ask for a word about it."""
    code, _, stars = argument.partition(":")
    booking = await turn.own_booking(code)
    count = int(stars) if stars.isdecimal() and len(stars) == 1 else 0
    await work.rate(turn.ctx, booking, count, None, customer_id=turn.contact.customer_id)
    turn.remark("rated", stars="⭐" * count)
    if turn.state.flow is None:
        turn.state.begin(COMMENT.name, about=code)
    return None


async def past(turn: Turn, code: str) -> Question:
    """The time line of a booking, with notes and costs where they belong; photos and later invoices by buttons."""
    booking = await turn.own_booking(code)
    told = await work.history(turn.session, booking)
    return question(
        say("past.head", code=code, lines=_time_line(turn, told)),
        options=[*_photos(code, told), *_papers(told)],
        always=[Option(f"see:{code}", say("option.see_booking")), Option("menu", say("option.menu"))],
        button=say("past.button"),
    )


async def photo(turn: Turn, which: str) -> Question:
    """One photo of a note or a cost, by its booking and its place among all of them."""
    code, _, place = which.partition(":")
    shots = _shots(await work.history(turn.session, await turn.own_booking(code)))
    if not place.isdecimal() or int(place) >= len(shots):
        raise NotFound
    number = int(place)
    key, cost = shots[number]
    following = [Option(f"photo:{code}:{number + 1}", say("past.next_photo"))] if number + 1 < len(shots) else []
    return question(
        say("work.photo", number=number + 1, count=len(shots)),
        *([_cost(cost)] if cost else []),
        document=Document("photo", key),
        options=following,
        always=[Option(f"past:{code}", say("option.past"))],
    )


async def warranties(turn: Turn, _: str) -> Question:
    """Every part under warranty or lately so, with the days that are left."""
    today = turn.local_now.date()
    own_bookings = await bookings.of_customer(turn.session, turn.contact.customer_id, limit=MOST_BOOKINGS)
    lines = [
        _warranty(line.name, line.warranty_until, today, booking.code)
        for booking in own_bookings
        for line in booking.lines
        if line.warranty_until
    ]
    if not lines:
        return actions.menu(turn, say("warranty.none"))
    return question(
        say("warranty.list", lines=lines),
        always=[Option("mine", say("option.my_bookings")), Option("menu", say("option.menu"))],
    )


async def again(turn: Turn, code: str) -> None:
    """Begin a booking with the same car, parts and work; what isn't sold any more is left out, prices are today's."""
    booking = await turn.own_booking(code)
    turn.state.begin("booking")
    for name, value in _same(turn, booking).items():
        turn.state.put(name, value)
    turn.remark("again.begins", code=code)


class Words(Step):
    """What the customer has to say beside the stars."""

    name = "words"
    free_text = True
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
        """Type it, or go without."""
        return question(say("ask.comment"), options=[Option("skip", say("option.skip"))])

    async def choose(self, turn: Turn, option: str) -> bool:
        """Only going without is a button."""
        turn.state.put(self.name, "")
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """Any words; a word that means none is none."""
        if not text:
            return False
        turn.state.put(self.name, "" if read_skip(text) else text[:LONGEST_COMMENT])
        return True


def _same(turn: Turn, booking: Booking) -> dict[str, Any]:
    """The answers that a booking gave, as far as they still can be given."""
    catalogue = turn.catalogue
    basket = [[line.part_id, line.quantity] for line in booking.lines if line.part_id in catalogue.parts]
    services = [line.service_id for line in booking.lines if line.service_id in catalogue.services]
    car = {"brand": booking.car_brand, "model": booking.car_model, "year": booking.car_year}
    person = {"name": booking.name, "email": booking.email or "", "plate": booking.plate or ""}
    place: dict[str, Any] = {"location": booking.location.value}
    if booking.location is Location.ONSITE:
        place["address"] = {"text": booking.address, "latitude": booking.latitude, "longitude": booking.longitude}
    chosen: dict[str, Any] = {"basket": basket, "shopped": True} if basket else {}
    if services:
        chosen |= {"services": services, "serviced": True, "shopped": True}
    return car | chosen | person | place


def _time_line(turn: Turn, told: History) -> list[Say]:
    lines = []
    for event, note, cost in _happened(told):
        lines.append(say("past.event", at=turn.shop.local(event.at), what=say(f"event.{event.kind}")))
        if note:
            shown = [photo for photo in note.photos if media.is_link(photo)]
            lines.append(say("past.note", author=note.author, text=" ".join([note.text, *shown])))
        if cost:
            lines.append(_cost(cost))
            lines += [say("past.link", link=cost.photo)] if cost.photo and media.is_link(cost.photo) else []
    return lines


def _happened(told: History) -> Iterator[tuple[BookingEvent, WorkNote | None, AdditionalCost | None]]:
    """Each event, with the note that was written or the cost that came up then."""
    notes = {note.id: note for note in told.notes}
    costs = {cost.id: cost for cost in told.costs}
    for event in told.events:
        cost = costs.get(event.detail.get("cost_id", 0)) if event.kind == "cost_proposed" else None
        yield event, notes.get(event.detail.get("note_id", 0)), cost


def _shots(told: History) -> list[tuple[str, AdditionalCost | None]]:
    """The keys of the photos that we keep, each with the cost it shows; links given over REST stand in the time line."""
    shots = []
    for _, note, cost in _happened(told):
        photos = [*(note.photos if note else []), *([cost.photo] if cost and cost.photo else [])]
        shots += [(photo, cost) for photo in photos if media.is_key(photo)]
    return shots


def _cost(cost: AdditionalCost) -> Say:
    return say("work.cost", description=cost.description, amount=cost.amount)


def _photos(code: str, told: History) -> list[Option]:
    count = len(_shots(told))
    return [Option(f"photo:{code}:0", say("past.photos", count=count))] if count else []


def _papers(told: History) -> list[Option]:
    """The invoices after the first, which stands with the booking itself."""
    return [
        Option(f"paper:invoice:{name}", say("papers.invoice", number=number))
        for number, name in enumerate(told.papers[1:4], 2)
    ]


def _warranty(name: str, until: date, today: date, code: str) -> Say:
    left = warranty.days_left(until, today)
    key = "warranty.line" if left else "warranty.over"
    return say(key, name=name, until=until, days=left, code=code)


async def _decide(turn: Turn, cost: str, *, agreed: bool) -> Question:
    if not cost.isdecimal() or len(cost) > 9:
        raise NotFound
    decided = await work.decide_cost(turn.ctx, int(cost), agreed=agreed, customer_id=turn.contact.customer_id)
    booking = await bookings.load(turn.session, booking_id=decided.booking_id)
    return question(
        say("cost.answered"),
        options=[Option(f"see:{booking.code}", say("option.see_booking")), Option("menu", say("option.menu"))],
    )


async def _comment(turn: Turn) -> Question:
    code, words = turn.state.about or "", turn.state.get("words")
    turn.state.begin(None)
    if words:
        booking = await turn.own_booking(code)
        await work.comment_on(turn.session, booking, words, customer_id=turn.contact.customer_id)
    return actions.menu(turn, say("comment.thanks"))


COMMENT = Flow("comment", (Words(),), _comment, strict=True)

ACTIONS: Mapping[str, Callable[[Turn, str], Awaitable[Question | None]]] = {
    "cost-yes": agree,
    "cost-no": refuse,
    "rate": rate,
    "past": past,
    "photo": photo,
    "warranties": warranties,
    "again": again,
}
