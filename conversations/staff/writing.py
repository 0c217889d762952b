"""A message from staff to the customer of a booking."""

from conversations.registry import action
from conversations.staff import jobs, who
from conversations.turn import Flow, Question, Step, Turn, Who, question
from core.messaging.messages import message, say
from core.notices.tell import tell


@action("write", who=Who.ADMIN)
async def write(turn: Turn, code: str) -> Question | None:
    """Begin a message, if the customer's chat is known."""
    booking = await who.job(turn, code)
    if booking.contact_id is None:
        return await jobs.card(turn, code, say("team.no_chat", phone=booking.phone))
    turn.state.begin(WRITE.name, about=code)
    return None


class MessageText(Step):
    name = "letter"
    free_text = True
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
        return question(say("team.ask.letter", code=turn.state.about))

    async def read(self, turn: Turn, text: str) -> bool:
        if not text:
            return False
        turn.state.put(self.name, text)
        return True


async def _finish(turn: Turn) -> Question:
    code, answers = turn.state.close()
    booking, writer = await who.job(turn, code), who.acting(turn).name
    words = message(say("team.letter", name=writer, code=code, text=answers["letter"]))
    key = f"letter:{turn.incoming.channel}:{turn.incoming.event_id}"
    await tell(turn.ctx, booking, key, chat=words)
    return await jobs.card(turn, code, say("team.written"))


WRITE = Flow("staff.write", (MessageText(),), _finish, who=Who.ADMIN, strict=True)
