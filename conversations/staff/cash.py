"""Cash that the customer put into somebody's hand."""

from conversations.staff import jobs, who
from conversations.staff.amounts import read_rupiah
from conversations.turn import Flow, Question, Step, Turn, question
from core import work
from core.messaging.messages import Option, say
from core.money import Money
from core.refusals import AlreadyPaid


async def cash(turn: Turn, code: str) -> None:
    """Begin to note cash for a job; raises `AlreadyPaid`."""
    booking = await who.job(turn, code)
    if not booking.remaining:
        raise AlreadyPaid
    turn.state.begin(CASH.name, about=code)


class Received(Step):
    """How much it was."""

    name = "received"
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
        """All of it, or type the amount."""
        remaining = await _remaining(turn)
        return question(
            say("team.ask.received", remaining=remaining),
            options=[Option("all", say("team.option.all", amount=remaining))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        """All that remains."""
        turn.state.put(self.name, await _remaining(turn))
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """An amount that can't be taken for another, and no more than remains."""
        amount = read_rupiah(text)
        if amount is None or not 1 <= amount <= await _remaining(turn):
            return False
        turn.state.put(self.name, amount)
        return True


async def _remaining(turn: Turn) -> Money:
    return (await who.job(turn, turn.state.about or "")).remaining


async def _finish(turn: Turn) -> Question:
    code, amount = turn.state.about or "", turn.state.get("received")
    turn.state.begin(None)
    await work.receive_cash(turn.ctx, await who.job(turn, code), amount, actor=who.acting(turn).name)
    return await jobs.card(turn, code, say("team.cash_noted", amount=amount))


CASH = Flow("staff.cash", (Received(),), _finish, strict=True)
