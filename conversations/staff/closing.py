"""Closing a day, with a reason and the number of jobs booked on it."""

from datetime import date

from conversations.registry import action
from conversations.staff import jobs
from conversations.turn import Flow, Question, Step, Turn, Who, Words, YesNo, question
from core.booking import affected_by_closing, close_day
from core.messaging.messages import Option, say


@action("close", who=Who.ADMIN)
async def close(turn: Turn, _: str) -> None:
    turn.state.begin(CLOSE.name)


class WhichDay(Step):
    name = "which_day"
    text = "team.ask.which_day"
    own_numbers = True

    def parse(self, turn: Turn, text: str) -> str | None:
        day = turn.understood.date
        if day is None or turn.understood.date_is_ambiguous or day < turn.local_now.date():
            return None
        return day.isoformat()


class Because(Words):
    """The reason, which customers read."""

    name = "because"
    text = "team.ask.because"
    max_length = 100


class ReallyClose(YesNo):
    name = "really_close"

    async def ask(self, turn: Turn) -> Question:
        day = _day(turn)
        booked = await affected_by_closing(turn.ctx, day)
        return question(
            say("team.ask.really_close", day=day, reason=turn.state.get("because"), count=len(booked)),
            options=[Option("yes", say("team.option.close_it")), Option("no", say("option.no"))],
        )


def _day(turn: Turn) -> date:
    return date.fromisoformat(turn.state.get("which_day"))


async def _finish(turn: Turn) -> Question:
    day = _day(turn)
    _, answers = turn.state.close()
    if not answers["really_close"]:
        return await jobs.menu(turn, first=say("team.not_closed"))
    booked = await close_day(turn.ctx, day, answers["because"])
    if not booked:
        return await jobs.menu(turn, first=say("team.closed", day=day))
    return jobs.listed(turn, say("team.closed_with_jobs", day=day, count=len(booked)), booked, more="jobs:today")


CLOSE = Flow("staff.close", (WhichDay(), Because(), ReallyClose()), _finish, who=Who.ADMIN, strict=True)
