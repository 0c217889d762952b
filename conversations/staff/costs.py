"""An additional cost: what for, how much, a photo; the customer agrees or refuses."""

from conversations.registry import action
from conversations.staff import jobs, who
from conversations.staff.amounts import read_rupiah
from conversations.staff.steps import Confirmation, Words
from conversations.turn import Flow, Question, Step, Turn, Who, question
from conversations.understand.answers import read_skip
from core import work
from core.messaging.messages import Option, say

NO_PHOTO = ""


@action("cost", who=Who.STAFF)
async def cost(turn: Turn, code: str) -> None:
    await who.job(turn, code)
    turn.state.begin(COST.name, about=code)


class What(Words):
    """What it is for, as the customer reads it."""

    name = "what"
    max_length = 200

    async def ask(self, turn: Turn) -> Question:
        return question(say("team.ask.what"))


class HowMuch(Step):
    name = "how_much"
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
        return question(say("team.ask.how_much"))

    async def read(self, turn: Turn, text: str) -> bool:
        """An unambiguous amount in rupiah."""
        amount = read_rupiah(text)
        if amount is None or not 1 <= amount <= work.MAX_COST:
            return False
        turn.state.put(self.name, amount)
        return True


class Photo(Step):
    name = "photo"
    takes_photos = True

    async def ask(self, turn: Turn) -> Question:
        return question(say("team.ask.photo"), options=[Option("skip", say("option.skip"))])

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.put(self.name, NO_PHOTO)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """The first photo sent, or a word that skips it."""
        if turn.incoming.photos:
            turn.state.put(self.name, turn.incoming.photos[0])
            return True
        return await self.choose(turn, "skip") if not turn.incoming.media and read_skip(text) else False


class Sure(Confirmation):
    name = "sure"

    async def ask(self, turn: Turn) -> Question:
        what, amount = turn.state.get("what"), turn.state.get("how_much")
        return question(
            say("team.ask.sure", description=what, amount=amount),
            options=[Option("yes", say("team.option.send")), Option("no", say("option.no"))],
        )


async def _finish(turn: Turn) -> Question:
    code, answers = turn.state.close()
    if not answers["sure"]:
        return await jobs.card(turn, code, say("team.cost_dropped"))
    await work.add_cost(
        turn.ctx,
        await who.job(turn, code),
        answers["what"],
        answers["how_much"],
        agreed=False,
        photo=answers["photo"] or None,
        actor=who.acting(turn).name,
    )
    return await jobs.card(turn, code, say("team.cost_sent"))


COST = Flow("staff.cost", (What(), HowMuch(), Photo(), Sure()), _finish, who=Who.STAFF, strict=True)
