"""What a customer does with a job in progress or completed: answer a cost, rate it, see its history, book it again."""

from collections.abc import Iterator
from typing import Any

from conversations import actions, draft
from conversations.registry import TO_BOOKINGS, TO_MENU, action, to_booking
from conversations.state import ORDER
from conversations.turn import Flow, Question, Step, Turn, Who, question
from conversations.understand.answers import read_skip
from core import media, work
from core.db.tables import AdditionalCost, BookingEvent, WorkNote
from core.messaging.messages import Document, Option, Say, say
from core.refusals import NotFound
from core.schedule import bookings
from core.states import Location
from core.work import History

MAX_COMMENT_LENGTH = 1000


@action("cost-yes", who=Who.CUSTOMER)
async def agree(turn: Turn, cost: str) -> Question:
    return await _decide(turn, cost, agreed=True)


@action("cost-no", who=Who.CUSTOMER)
async def refuse(turn: Turn, cost: str) -> Question:
    return await _decide(turn, cost, agreed=False)


@action("rate", who=Who.CUSTOMER)
async def rate(turn: Turn, argument: str) -> Question | None:
    code, _, stars = argument.partition(":")
    booking = await turn.own_booking(code)
    count = int(stars) if stars.isdecimal() and len(stars) == 1 else 0
    await work.rate(turn.ctx, booking, count, None, customer_id=turn.contact.customer_id)
    turn.remark("rated", stars="⭐" * count)
    if turn.state.flow is None:
        turn.state.begin(COMMENT.name, about=code)
    return None


@action("past", who=Who.CUSTOMER)
async def show_history(turn: Turn, code: str) -> Question:
    booking = await turn.own_booking(code)
    history = await work.history(turn.session, booking)
    photos = len(_stored_photos(history))
    # The first invoice has its button on the booking.
    later_invoices = enumerate(history.papers[1:4], 2)
    return question(
        say("past.head", code=code, lines=_time_line(turn, history)),
        options=[
            *([Option(f"photo:{code}:0", say("past.photos", count=photos))] if photos else []),
            *(Option(f"paper:invoice:{name}", say("papers.invoice", number=number)) for number, name in later_invoices),
        ],
        always=[to_booking(code), TO_MENU],
        button=say("past.button"),
    )


@action("photo", who=Who.CUSTOMER)
async def show_photo(turn: Turn, which: str) -> Question:
    """One photo of a note or a cost; the button carries its index among the booking's photos."""
    code, _, index = which.partition(":")
    photos = _stored_photos(await work.history(turn.session, await turn.own_booking(code)))
    if not index.isdecimal() or int(index) >= len(photos):
        raise NotFound
    number = int(index)
    key, cost = photos[number]
    following = [Option(f"photo:{code}:{number + 1}", say("past.next_photo"))] if number + 1 < len(photos) else []
    return question(
        say("work.photo", number=number + 1, count=len(photos)),
        *([_cost(cost)] if cost else []),
        document=Document("photo", key),
        options=following,
        always=[Option(f"past:{code}", say("option.past"))],
    )


@action("warranties", who=Who.CUSTOMER)
async def warranties(turn: Turn, _: str) -> Question:
    lines = await actions.warranties(turn)
    if not lines:
        return actions.menu(turn, say("warranty.none"))
    return question(say("warranty.list", lines=lines), always=[TO_BOOKINGS, TO_MENU])


@action("again", who=Who.CUSTOMER)
async def book_again(turn: Turn, code: str) -> None:
    """Begin a booking with the same car, parts and services, as far as they are still sold; prices are today's."""
    if draft.is_worth_keeping(turn):
        turn.remark("draft.continues")
        return
    booking, catalogue = await turn.own_booking(code), turn.catalogue
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
    turn.state.begin(ORDER)
    for name, value in (car | chosen | person | place).items():
        turn.state.put(name, value)
    usual = draft.times(turn)
    was = {line.service_id: line.quantity for line in booking.lines if line.service_id in usual}
    turn.state.put("times", {service: count for service, count in was.items() if count != usual[service]})
    turn.remark("again.begins", code=code)


class Comment(Step):
    name = "words"
    text = "ask.comment"
    skips = True
    free_text = True
    own_numbers = True

    def parse(self, turn: Turn, text: str) -> str | None:
        return None if read_skip(text) else text[:MAX_COMMENT_LENGTH] or None


def _time_line(turn: Turn, history: History) -> list[Say]:
    lines = []
    for event, note, cost in _events(history):
        lines.append(say("past.event", at=turn.shop.local(event.at), what=say(f"event.{event.kind}")))
        if note:
            shown = [photo for photo in note.photos if media.is_link(photo)]
            lines.append(say("past.note", author=note.author, text=" ".join([note.text, *shown])))
        if cost:
            lines.append(_cost(cost))
            lines += [say("past.link", link=cost.photo)] if cost.photo and media.is_link(cost.photo) else []
    return lines


def _events(history: History) -> Iterator[tuple[BookingEvent, WorkNote | None, AdditionalCost | None]]:
    """Each event, with the note or the cost it added."""
    notes = {note.id: note for note in history.notes}
    costs = {cost.id: cost for cost in history.costs}
    for event in history.events:
        cost = costs.get(event.detail.get("cost_id", 0)) if event.kind == "cost_proposed" else None
        yield event, notes.get(event.detail.get("note_id", 0)), cost


def _stored_photos(history: History) -> list[tuple[str, AdditionalCost | None]]:
    """The keys of stored photos, each with the cost it shows; links given over REST are lines of the time line."""
    found = []
    for _, note, cost in _events(history):
        photos = [*(note.photos if note else []), *([cost.photo] if cost and cost.photo else [])]
        found += [(photo, cost) for photo in photos if media.is_key(photo)]
    return found


def _cost(cost: AdditionalCost) -> Say:
    return say("work.cost", description=cost.description, amount=cost.amount)


async def _decide(turn: Turn, cost: str, *, agreed: bool) -> Question:
    if not cost.isdecimal() or len(cost) > 9:
        raise NotFound
    decided = await work.decide_cost(turn.ctx, int(cost), agreed=agreed, customer_id=turn.contact.customer_id)
    booking = await bookings.load(turn.session, booking_id=decided.booking_id)
    return question(say("cost.answered"), options=[to_booking(booking.code), TO_MENU])


async def _finish(turn: Turn) -> Question:
    code, answers = turn.state.close()
    if words := answers["words"]:
        booking = await turn.own_booking(code)
        await work.comment_on(turn.session, booking, words, customer_id=turn.contact.customer_id)
    return actions.menu(turn, say("comment.thanks"))


COMMENT = Flow("comment", (Comment(),), _finish, strict=True)
