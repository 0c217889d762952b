"""What nobody could answer: the list, and an answer that goes to everybody who asked and into the FAQ."""

import re

from conversations.registry import action
from conversations.staff import jobs
from conversations.staff.jobs import TO_STAFF_MENU
from conversations.turn import Flow, Question, Step, Turn, Who, YesNo, question
from core.faq import unanswered
from core.faq.entries import LONGEST_ANSWER
from core.faq.unanswered import Topic
from core.messaging.messages import Option, say
from core.refusals import NotFound

MAX_LISTED = 9
_ACTION = "answer-question"
_TYPED = re.compile(r"\s*/?\w+\s+(?:(\d{1,2})[\s.:)]+)?(.*)", re.DOTALL)
""" "jawab 2 Ada Kak, di depan": the place in the list, and the answer."""


@action("questions", who=Who.ADMIN)
async def questions(turn: Turn, _: str = "") -> Question:
    topics = await unanswered.open_topics(turn.ctx, limit=MAX_LISTED)
    if not topics:
        return question(say("team.questions_none"), always=[TO_STAFF_MENU])
    return question(
        say("team.questions"),
        options=[
            Option(
                f"{_ACTION}:{topic.name}",
                topic.text,
                say("team.question_hint", count=topic.count, people=topic.people),
            )
            for topic in topics
        ],
        always=[TO_STAFF_MENU],
        button=say("team.button.questions"),
    )


@action(_ACTION, who=Who.ADMIN)
async def answer_question(turn: Turn, name: str) -> None:
    """Begin an answer; raises `NotFound` if somebody else gave it meanwhile."""
    await _topic(turn, name)
    turn.state.begin(ANSWER_QUESTION.name, about=name)


@action("answer-typed", who=Who.ADMIN)
async def answer_typed(turn: Turn, _: str = "") -> Question | None:
    """ "jawab 2 …", "jawab …" while a single question is open; else the list."""
    typed = _TYPED.fullmatch(turn.incoming.text or "")
    place, words = (typed[1], typed[2].strip()) if typed else (None, "")
    names = await _names(turn)
    number = int(place) if place else 1
    if (place is None and len(names) != 1) or not 1 <= number <= len(names):
        return await questions(turn)
    await answer_question(turn, names[number - 1])
    if 0 < len(words) <= LONGEST_ANSWER:
        turn.state.put(Answer.name, words)
    return None


class Answer(Step):
    """The answer, or that none is needed."""

    name = "faq_answer"
    free_text = True
    own_numbers = True
    drops = ("faq_sure",)

    async def ask(self, turn: Turn) -> Question:
        topic = await _topic(turn, turn.state.about or "")
        drop = Option("drop", say("team.option.drop_question"))
        return question(say("team.ask.faq_answer", question=topic.text, people=topic.people), options=[drop])

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.put(self.name, None)
        turn.state.put("faq_sure", True)
        return True

    def parse(self, turn: Turn, text: str) -> str | None:
        return text if 0 < len(text) <= LONGEST_ANSWER else None


class Sure(YesNo):
    """Shows the answer before it is sent and kept."""

    name = "faq_sure"

    async def ask(self, turn: Turn) -> Question:
        topic = await _topic(turn, turn.state.about or "")
        answer = turn.state.get(Answer.name)
        return question(
            say("team.ask.faq_sure", question=topic.text, answer=answer, people=topic.people),
            options=[Option("yes", say("team.option.faq_send")), Option("no", say("team.option.faq_change"))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        if option == "yes":
            turn.state.put(self.name, True)
        else:
            turn.state.drop(Answer.name)
        return True


async def _learn(turn: Turn) -> Question:
    name, answers = turn.state.close()
    await _topic(turn, name)
    if answers[Answer.name] is None:
        await unanswered.drop(turn.ctx, name)
        return await jobs.menu(turn, first=say("team.question_dropped"))
    people = await unanswered.learn(turn.ctx, name, answers[Answer.name], by=turn.staff.name)
    return await jobs.menu(turn, first=say("team.question_answered", people=people))


async def _names(turn: Turn) -> list[str]:
    """The open questions in the order of the list on the screen, or of a new one."""
    shown = [option.removeprefix(f"{_ACTION}:") for option, _ in turn.state.shown if option.startswith(f"{_ACTION}:")]
    return shown or [topic.name for topic in await unanswered.open_topics(turn.ctx, limit=MAX_LISTED)]


async def _topic(turn: Turn, name: str) -> Topic:
    topic = await unanswered.topic(turn.ctx, name)
    if topic is None:
        raise NotFound
    return topic


ANSWER_QUESTION = Flow("staff.faq", (Answer(), Sure()), _learn, who=Who.ADMIN, strict=True)
