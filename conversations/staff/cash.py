"""Cash received for a job."""

from conversations.registry import action
from conversations.staff import jobs, who
from conversations.staff.amounts import read_rupiah
from conversations.turn import Flow, Question, Step, Turn, Who, question
from core import work
from core.messaging.messages import Option, say
from core.money import Money
from core.refusals import AlreadyPaid


@action("cash", who=Who.STAFF)
async def cash(turn: Turn, code: str) -> None:
    """Begin to record cash; raises `AlreadyPaid`."""
    booking = await who.job(turn, code)
    if not booking.remaining:
        raise AlreadyPaid
    turn.state.begin(CASH.name, about=code)


class Received(Step):
    name = "received"
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
        remaining = await _remaining(turn)
        return question(
            say("team.ask.received", remaining=remaining),
            options=[Option("all", say("team.option.all", amount=remaining))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.put(self.name, await _remaining(turn))
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """An unambiguous amount, not more than remains to be paid."""
        amount = read_rupiah(text)
        if amount is None or not 1 <= amount <= await _remaining(turn):
            return False
        turn.state.put(self.name, amount)
        return True


async def _remaining(turn: Turn) -> Money:
    return (await who.job(turn, turn.state.about or "")).remaining


async def _finish(turn: Turn) -> Question:
    code, answers = turn.state.close()
    amount = answers["received"]
    await work.receive_cash(turn.ctx, await who.job(turn, code), amount, actor=who.acting(turn).name)
    return await jobs.card(turn, code, say("team.cash_noted", amount=amount))


CASH = Flow("staff.cash", (Received(),), _finish, who=Who.STAFF, strict=True)
