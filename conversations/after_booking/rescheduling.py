"""A customer reschedules a booking, or decides about one that was paid after its slot was taken.

"pindah jadwal", [Pindah jadwal] ──> Which ─ Day ─ Slot ─ WhichTechnician ─ Agreed ──> core.booking.rescheduling
slot lost (core.payment.slot_lost):  [a slot]   [another time]   [a refund]
"""

from operator import attrgetter

from conversations import actions, draft
from conversations.booking.when import Day, Slot, WhichTechnician, read_start
from conversations.registry import action, to_booking
from conversations.turn import Flow, Question, Step, Turn, Who, YesNo, question
from conversations.understand.when import read_when
from core import payment
from core.booking import rescheduling
from core.db.tables import Booking
from core.messaging.messages import Option, say
from core.refusals import Refusal
from core.schedule import bookings
from core.states import BookingStatus, PaymentMethod

MAX_BOOKINGS = 20
"""The newest ones, among which the customer chooses."""
_LIVE = (BookingStatus.PENDING, BookingStatus.CONFIRMED)


@action("move", who=Who.CUSTOMER)
async def reschedule(turn: Turn, code: str) -> Question | None:
    """Begin to reschedule a booking; without a code, the only one that can be, to the day and time the text names."""
    if code:
        booking = await turn.own_booking(code)
        rescheduling.check_may_reschedule(turn.ctx, booking)
        turn.state.begin(MOVE.name)
        choose_booking(turn, booking)
        return None
    live = await _live(turn)
    movable = [booking for booking in live if rescheduling.may_reschedule(turn.ctx, booking)]
    if not live:
        return await actions.my_bookings(turn)
    if not movable:
        rescheduling.check_may_reschedule(turn.ctx, min(live, key=attrgetter("starts_at")))
    turn.state.begin(MOVE.name)
    for step in MOVE.steps:  # day, time and technician may be in the text
        await step.absorb(turn)
    if turn.understood.part_of_day and not turn.understood.time:
        turn.state.put("part_of_day", turn.understood.part_of_day)
    if len(movable) == 1:
        choose_booking(turn, movable[0])
    return None


def choose_booking(turn: Turn, booking: Booking) -> None:
    """Reschedule this booking; its technician stays if free, and a time without a day means the same day."""
    state, at = turn.state, turn.shop.local(booking.starts_at)
    state.about = booking.code
    if "technician" not in state:
        state.put("technician", booking.technician_id or "any", tentative=True)
    if "time" in state and "date" not in state:
        state.put("date", at.date().isoformat(), tentative=True)
    if "time" not in state:
        turn.remark("late.begins" if payment.has_lost_slot(booking) else "move.begins", code=booking.code, at=at)


class Which(Step):
    name = "which"

    def needed(self, turn: Turn) -> bool:
        return turn.state.about is None

    async def ask(self, turn: Turn) -> Question:
        movable = [each for each in await _live(turn) if rescheduling.may_reschedule(turn.ctx, each)]
        return question(
            say("move.which"),
            options=[
                Option(each.code, say("slot.day_and_time", at=turn.shop.local(each.starts_at)), each.code)
                for each in sorted(movable, key=attrgetter("starts_at"))
            ],
            button=say("button.bookings"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        choose_booking(turn, await turn.own_booking(option))
        return True


class Agreed(YesNo):
    name = "agreed"
    no = "stay"

    async def ask(self, turn: Turn) -> Question:
        booking, technician = (await draft.job(turn)).moved, draft.technician_id(turn)
        if booking is None:
            raise LookupError("the booking is asked before this step")
        by_customer = turn.state.flow == MOVE.name
        last = by_customer and not payment.has_lost_slot(booking) and booking.moves + 1 == turn.shop.max_moves
        return question(
            *([say("move.last")] if last else []),
            say(
                "ask.agreed",
                code=booking.code,
                was=turn.shop.local(booking.starts_at),
                at=turn.shop.local(draft.chosen_start(turn)),
                technician=turn.catalogue.technicians[technician].name if technician else say("option.any_technician"),
            ),
            options=[Option("yes", say("option.move_it")), Option("other", say("option.other_when"))],
            always=[Option("stay", say("option.stay"))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
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
        if await super().read(turn, text):
            return True
        when = read_when(text, now=turn.written_at, shop=turn.shop)
        if when is None or not (when.day or when.time):
            return False
        if when.day:
            turn.state.put("date", when.day.isoformat(), tentative=True)
        if when.time:
            turn.state.put("time", f"{when.time:%H:%M}", tentative=True)
        turn.state.recheck("time", "technician")
        return True


async def carry_out(turn: Turn, booking: Booking, *, actor: str) -> None:
    await rescheduling.reschedule(
        turn.ctx, booking, draft.chosen_start(turn), technician_id=draft.technician_id(turn), actor=actor
    )


@action("retake", who=Who.CUSTOMER)
async def retake(turn: Turn, argument: str) -> Question:
    return await _retake(turn, argument, any_technician=False)


@action("retake-any", who=Who.CUSTOMER)
async def retake_with_anyone(turn: Turn, argument: str) -> Question:
    return await _retake(turn, argument, any_technician=True)


@action("money-back", who=Who.CUSTOMER)
async def ask_to_refund(turn: Turn, code: str) -> Question:
    """Slot lost: confirm before the booking is cancelled and refunded."""
    booking = await turn.own_booking(code)
    if not payment.has_lost_slot(booking):
        return _settled(code)
    return question(
        say("late.sure", code=code, amount=booking.paid_amount),
        options=[
            Option(f"really-back:{code}", say("late.option.yes_back")),
            Option(f"see:{code}", say("option.no")),
        ],
    )


@action("really-back", who=Who.CUSTOMER)
async def refund(turn: Turn, code: str) -> Question:
    """Slot lost: cancel the booking and refund all of it."""
    booking = await turn.own_booking(code)
    if not payment.has_lost_slot(booking):
        return _settled(code)
    await payment.refund_lost_slot(turn.ctx, booking)
    return actions.menu(turn, say("cancelling.goodbye"))


async def _retake(turn: Turn, argument: str, *, any_technician: bool) -> Question:
    code, _, start = argument.partition(":")
    booking = await turn.own_booking(code)
    if not payment.has_lost_slot(booking):
        return _settled(code)
    try:
        async with turn.undone_if_refused():
            await rescheduling.reschedule(
                turn.ctx,
                booking,
                read_start(turn, start),
                technician_id=None if any_technician else booking.technician_id,
                actor=bookings.CUSTOMER,
            )
    except Refusal as refusal:
        turn.remark_refusal(refusal)
        choices = await payment.lost_slot_choices(turn.ctx, await turn.own_booking(code), refusal)
        return question(options=choices, button=say("late.button"))
    return question(say("late.placed"), options=[to_booking(code)])


def _settled(code: str) -> Question:
    return question(say("late.settled", code=code), options=[to_booking(code)])


async def _live(turn: Turn) -> list[Booking]:
    own_bookings = await bookings.of_customer(turn.session, turn.contact.customer_id, limit=MAX_BOOKINGS)
    to_come = [each for each in own_bookings if each.status in _LIVE]
    return [each for each in to_come if each.starts_at > turn.now or payment.has_lost_slot(each)]


async def _finish(turn: Turn) -> Question:
    booking = await turn.own_booking(turn.state.about or "")
    had_lost_slot = payment.has_lost_slot(booking)
    await carry_out(turn, booking, actor=bookings.CUSTOMER)
    code, _ = turn.state.close()
    if had_lost_slot:
        return question(say("late.placed"), options=[to_booking(code)])
    booking = await turn.own_booking(code)
    pay_until = None if booking.payment_method is PaymentMethod.COD else booking.hold_until
    return question(
        say("move.done", code=code, at=turn.shop.local(booking.starts_at)),
        say("move.pay_until", until=turn.shop.local(pay_until)) if pay_until else say("move.reminders_follow"),
        options=[to_booking(code)],
    )


async def _refused(_: Turn, code: str) -> Question:
    return question(options=[to_booking(code), Option("human", say("option.human"))])


STEPS = (Which(), Day(), Slot(), WhichTechnician(), Agreed())
MOVE = Flow("move", STEPS, _finish, refused=_refused, cancelled="move.given_up")
