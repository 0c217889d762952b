"""Closing a day: which, why, and what is booked on it already."""

from datetime import date

from conversations.staff import jobs
from conversations.staff.menu import menu
from conversations.staff.steps import OnceMore, Words
from conversations.turn import Flow, Question, Step, Turn, question
from core.booking import closures
from core.messaging.messages import Option, say


async def close(turn: Turn, _: str) -> None:
    """Begin to close a day."""
    turn.state.begin(CLOSE.name)


class WhichDay(Step):
    """The day, from today on."""

    name = "which_day"
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
        """Type it."""
        return question(say("team.ask.which_day"))

    async def read(self, turn: Turn, text: str) -> bool:
        """A day that can't be taken for another."""
        day = turn.heard.date
        if day is None or turn.heard.date_is_ambiguous or day < turn.local_now.date():
            return False
        turn.state.put(self.name, day.isoformat())
        return True


class Because(Words):
    """Why, as customers will read it."""

    name = "because"
    longest = 100

    async def ask(self, turn: Turn) -> Question:
        """Type it."""
        return question(say("team.ask.because"))


class ReallyClose(OnceMore):
    """Once more before it is closed."""

    name = "really_close"

    async def ask(self, turn: Turn) -> Question:
        """With the number of jobs that would have to be moved."""
        day = _day(turn)
        waiting = await closures.affected(turn.ctx, day)
        return question(
            say("team.ask.really_close", day=day, reason=turn.state.get("because"), count=len(waiting)),
            options=[Option("yes", say("team.option.close_it")), Option("no", say("option.no"))],
        )


def _day(turn: Turn) -> date:
    return date.fromisoformat(turn.state.get("which_day"))


async def _finish(turn: Turn) -> Question:
    day, reason, really = _day(turn), turn.state.get("because"), turn.state.get("really_close")
    turn.state.begin(None)
    if not really:
        return await menu(turn, first=say("team.not_closed"))
    waiting = await closures.close_day(turn.ctx, day, reason)
    if not waiting:
        return await menu(turn, first=say("team.closed", day=day))
    return jobs.listed(turn, say("team.closed_with_jobs", day=day, count=len(waiting)), waiting, more="jobs:today")


CLOSE = Flow("staff.close", (WhichDay(), Because(), ReallyClose()), _finish, strict=True)
