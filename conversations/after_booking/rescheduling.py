"""A customer moves a booking, or says what becomes of one that was paid when its place was gone.

    "pindah jadwal", [Pindah jadwal] ──> Which ─ Day ─ Slot ─ WhichTechnician ─ Agreed ──> core.moving
    late money (core.late):  [a slot]   [another time]   [the money back]

An action returns what to say, or None to go on with the flow; it raises a `Refusal`.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from conversations import actions
from conversations.booking import draft
from conversations.booking.when import Day, Slot, WhichTechnician
from conversations.turn import Flow, Question, Step, Turn, question
from conversations.understand import read_when, read_yes_no
from core.booking import rescheduling
from core.db.tables import Booking
from core.messaging.messages import Option, Say, say
from core.payment import slot_lost
from core.refusals import InThePast, NotFound, OutsideHours, Refusal, SlotFull, TechnicianBusy, TooFarAhead
from core.schedule import bookings
from core.states import BookingStatus, PaymentMethod

MOST_BOOKINGS = 20
"""Among how many, the newest first, the one to be moved is looked for."""
_LIVE = (BookingStatus.PENDING, BookingStatus.CONFIRMED)
_ASKED_AGAIN: dict[type[Refusal], tuple[str, ...]] = {
    SlotFull: ("time",),
    TechnicianBusy: ("technician",),
    OutsideHours: ("date", "time"),
    InThePast: ("date", "time"),
    TooFarAhead: ("date", "time"),
}


async def move(turn: Turn, code: str) -> Question | None:
    """Begin to move a booking; without its code the only one that can be, with day and time as they were said.

    A booking that is being made isn't dropped for a word: then the customer chooses from the list.
    """
    if code:
        booking = await turn.own_booking(code)
        rescheduling.check_may_move(turn.ctx, booking)
        turn.state.begin(MOVE.name)
        take_up(turn, booking)
        return None
    live = await _live(turn)
    movable = [booking for booking in live if rescheduling.may_move(turn.ctx, booking)]
    if turn.state.flow not in (None, MOVE.name) or not live:
        return await actions.my_bookings(turn)
    if not movable:
        rescheduling.check_may_move(turn.ctx, min(live, key=_start))
    turn.state.begin(MOVE.name)
    _listen(turn)
    if len(movable) == 1:
        take_up(turn, movable[0])
    return None


def take_up(turn: Turn, booking: Booking) -> None:
    """This is the booking; its technician stays if they can, and a time without a day is of its own day."""
    state, at = turn.state, turn.shop.local(booking.starts_at)
    state.about = booking.code
    if "technician" not in state:
        state.put("technician", booking.technician_id or "any", tentative=True)
    if "time" in state and "date" not in state:
        state.put("date", at.date().isoformat(), tentative=True)
    if "time" not in state:
        turn.remark("late.begins" if slot_lost.waits(booking) else "move.begins", code=booking.code, at=at)


class Which(Step):
    """Which booking, where several can be moved."""

    name = "which"

    def needed(self, turn: Turn) -> bool:
        """Until it is known."""
        return turn.state.about is None

    async def ask(self, turn: Turn) -> Question:
        """Those that can be moved, the next one first."""
        movable = [each for each in await _live(turn) if rescheduling.may_move(turn.ctx, each)]
        return question(
            say("move.which"),
            options=[
                Option(each.code, say("slot.day_and_time", at=turn.shop.local(each.starts_at)), each.code)
                for each in sorted(movable, key=_start)
            ],
            button=say("button.bookings"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        """One of them."""
        take_up(turn, await turn.own_booking(option))
        return True


class Agreed(Step):
    """From when to when, once more."""

    name = "agreed"

    async def ask(self, turn: Turn) -> Question:
        """The old time and the new one; who moves for the last time hears it before."""
        job, starts_at = await draft.job(turn), draft.starts_at(turn)
        booking, technician = job.moved, draft.technician_id(turn)
        if booking is None or starts_at is None:
            raise LookupError("nothing is moved without a booking and a time")
        last = (
            turn.state.flow == MOVE.name and not slot_lost.waits(booking) and booking.moves + 1 == turn.shop.max_moves
        )
        return question(
            *([say("move.last")] if last else []),
            say(
                "ask.agreed",
                code=booking.code,
                was=turn.shop.local(booking.starts_at),
                at=turn.shop.local(starts_at),
                technician=turn.catalogue.technicians[technician].name if technician else say("option.any_technician"),
            ),
            options=[Option("yes", say("option.move_it")), Option("other", say("option.other_when"))],
            always=[Option("stay", say("option.stay"))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        """Move it, choose again, or leave it."""
        match option:
            case "yes":
                turn.state.put(self.name, True)
            case "other":
                turn.state.drop("date", "time", "part_of_day")
            case _:
                turn.state.begin(None)
                turn.remark("move.given_up")
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """Yes, no, or yet another time."""
        agreed = read_yes_no(text)
        if agreed is not None:
            return await self.choose(turn, "yes" if agreed else "stay")
        when = read_when(text, now=turn.local_now, shop=turn.shop)
        if when is None or not (when.day or when.time):
            return False
        if when.day:
            turn.state.put("date", when.day.isoformat(), tentative=True)
        if when.time:
            turn.state.put("time", f"{when.time:%H:%M}", tentative=True)
        turn.state.recheck("time", "technician")
        return True


async def carry_out(turn: Turn, booking: Booking, *, actor: str) -> None:
    """Move it as was answered; raises a `Refusal`."""
    starts_at = draft.starts_at(turn)
    if starts_at is None:
        raise LookupError("nothing is moved without a time")
    await rescheduling.move(turn.ctx, booking, starts_at, technician_id=draft.technician_id(turn), actor=actor)


def comes_again(turn: Turn, refusal: Refusal) -> bool:
    """Tell the refusal; whether there is a question that can be answered differently, which then comes again."""
    turn.remark(f"refusal.{refusal.code}", **refusal.params)
    again = _ASKED_AGAIN.get(type(refusal))
    if again is None:
        return False
    if again == ("technician",) and draft.technician_id(turn) is None:
        again = ("date", "time")  # nobody can do it then
    turn.state.drop("agreed", *again)
    return True


async def retake(turn: Turn, argument: str) -> Question:
    """Late money: the booking takes this slot, with the technician it was booked with."""
    return await _retake(turn, argument, anyone=False)


async def retake_any(turn: Turn, argument: str) -> Question:
    """Late money: the booking takes this slot, with whoever is free."""
    return await _retake(turn, argument, anyone=True)


async def money_back(turn: Turn, code: str) -> Question:
    """Late money: ask once more before the booking is cancelled and the money goes back."""
    booking = await turn.own_booking(code)
    if not slot_lost.waits(booking):
        return _settled(code)
    return question(
        say("late.sure", code=code, amount=booking.paid_amount),
        options=[
            Option(f"really-back:{code}", say("late.option.yes_back")),
            Option(f"see:{code}", say("option.no")),
        ],
    )


async def really_back(turn: Turn, code: str) -> Question:
    """Late money: the booking is cancelled, and all of it goes back."""
    booking = await turn.own_booking(code)
    if not slot_lost.waits(booking):
        return _settled(code)
    await slot_lost.give_back(turn.ctx, booking)
    return actions.menu(turn, say("cancelling.goodbye"))


async def _retake(turn: Turn, argument: str, *, anyone: bool) -> Question:
    code, _, moment = argument.partition(":")
    booking = await turn.own_booking(code)
    if not slot_lost.waits(booking):
        return _settled(code)
    try:
        async with turn.session.begin_nested():
            await rescheduling.move(
                turn.ctx,
                booking,
                _moment(turn, moment),
                technician_id=None if anyone else booking.technician_id,
                actor=bookings.CUSTOMER,
            )
    except Refusal as refusal:
        return await _instead(turn, code, refusal)
    return question(say("late.placed"), options=[_see(code)])


async def _instead(turn: Turn, code: str, refusal: Refusal) -> Question:
    """The slot was taken meanwhile: the nearest ones now."""
    booking = await turn.own_booking(code)
    return question(
        say(f"refusal.{refusal.code}", **refusal.params),
        options=await slot_lost.offers(turn.ctx, booking, refusal),
        button=say("late.button"),
    )


def _settled(code: str) -> Question:
    return question(say("late.settled", code=code), options=[_see(code)])


def _see(code: str) -> Option:
    return Option(f"see:{code}", say("option.see_booking"))


def _moment(turn: Turn, text: str) -> datetime:
    """The local time that a button carries; raises `NotFound`."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=turn.shop.zone)
    except ValueError:
        raise NotFound from None


async def _live(turn: Turn) -> list[Booking]:
    """The customer's bookings that are still to come."""
    own_bookings = await bookings.of_customer(turn.session, turn.contact.customer_id, limit=MOST_BOOKINGS)
    to_come = [each for each in own_bookings if each.status in _LIVE]
    return [each for each in to_come if each.starts_at > turn.now or slot_lost.waits(each)]


def _start(booking: Booking) -> datetime:
    return booking.starts_at


def _listen(turn: Turn) -> None:
    """Day, time and technician that came with the wish, to be checked when their question is reached."""
    for step in MOVE.steps:
        step.absorb(turn)
    if turn.heard.part_of_day and not turn.heard.time:
        turn.state.put("part_of_day", turn.heard.part_of_day)


async def _finish(turn: Turn) -> Question | None:
    code = turn.state.about or ""
    try:
        async with turn.session.begin_nested():
            booking = await turn.own_booking(code)
            waited = slot_lost.waits(booking)
            await carry_out(turn, booking, actor=bookings.CUSTOMER)
    except Refusal as refusal:
        if comes_again(turn, refusal):
            return None
        turn.state.begin(None)
        return question(options=[_see(code), Option("human", say("option.human"))])
    turn.state.begin(None)
    done = [say("late.placed")] if waited else _done(turn, await turn.own_booking(code))
    return question(*done, options=[_see(code)])


def _done(turn: Turn, booking: Booking) -> list[Say]:
    """Where it is now, and what goes with it: reminders, or the money that is still waited for."""
    moved = say("move.done", code=booking.code, at=turn.shop.local(booking.starts_at))
    if booking.hold_until is None or booking.payment_method is PaymentMethod.COD:
        return [moved, say("move.reminders_follow")]
    return [moved, say("move.pay_until", until=turn.shop.local(booking.hold_until))]


STEPS = (Which(), Day(), Slot(), WhichTechnician(), Agreed())
MOVE = Flow("move", STEPS, _finish, given_up="move.given_up")

ACTIONS: Mapping[str, Callable[[Turn, str], Awaitable[Question | None]]] = {
    "move": move,
    "retake": retake,
    "retake-any": retake_any,
    "money-back": money_back,
    "really-back": really_back,
}
