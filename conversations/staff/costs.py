"""An additional cost: what for, how much, a photo; put to the customer, who agrees or refuses."""

from conversations.staff import jobs, who
from conversations.staff.amounts import read_rupiah
from conversations.staff.steps import OnceMore, Words
from conversations.turn import Flow, Question, Step, Turn, question
from conversations.understand.answers import read_skip
from core import work
from core.messaging.messages import Option, say
from core.work.costs import MOST

NO_PHOTO = ""


async def cost(turn: Turn, code: str) -> None:
    """Begin an additional cost of a job."""
    await who.job(turn, code)
    turn.state.begin(COST.name, about=code)


class What(Words):
    """What it is for, in the words the customer will read."""

    name = "what"
    longest = 200

    async def ask(self, turn: Turn) -> Question:
        """Type it."""
        return question(say("team.ask.what"))


class HowMuch(Step):
    """Its amount in rupiah."""

    name = "how_much"
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
        """Type it."""
        return question(say("team.ask.how_much"))

    async def read(self, turn: Turn, text: str) -> bool:
        """An amount that can't be taken for another."""
        amount = read_rupiah(text)
        if amount is None or not 1 <= amount <= MOST:
            return False
        turn.state.put(self.name, amount)
        return True


class Photo(Step):
    """A photo of what was found, or none."""

    name = "photo"
    takes_photos = True

    async def ask(self, turn: Turn) -> Question:
        """Send it, or go without."""
        return question(say("team.ask.photo"), options=[Option("skip", say("option.skip"))])

    async def choose(self, turn: Turn, option: str) -> bool:
        """Only going without is a button."""
        turn.state.put(self.name, NO_PHOTO)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """The first photo sent, or a word that means none."""
        if turn.incoming.photos:
            turn.state.put(self.name, turn.incoming.photos[0])
            return True
        return await self.choose(turn, "skip") if not turn.incoming.media and read_skip(text) else False


class Sure(OnceMore):
    """The cost once more, before the customer sees it."""

    name = "sure"

    async def ask(self, turn: Turn) -> Question:
        """Send it, or not."""
        what, amount = turn.state.get("what"), turn.state.get("how_much")
        return question(
            say("team.ask.sure", description=what, amount=amount),
            options=[Option("yes", say("team.option.send")), Option("no", say("option.no"))],
        )


async def _finish(turn: Turn) -> Question:
    code, given = turn.state.about or "", dict(turn.state.answers)
    turn.state.begin(None)
    if not given["sure"]:
        return await jobs.card(turn, code, say("team.cost_dropped"))
    await work.add_cost(
        turn.ctx,
        await who.job(turn, code),
        given["what"],
        given["how_much"],
        agreed=False,
        photo=given["photo"] or None,
        actor=who.acting(turn).name,
    )
    return await jobs.card(turn, code, say("team.cost_sent"))


COST = Flow("staff.cost", (What(), HowMuch(), Photo(), Sure()), _finish, strict=True)
