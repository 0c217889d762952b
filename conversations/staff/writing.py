"""A message from staff to the customer of a booking."""

from conversations.staff import jobs, who
from conversations.turn import Flow, Question, Step, Turn, question
from core.messaging.messages import message, say
from core.notices.tell import tell


async def write(turn: Turn, code: str) -> Question | None:
    """Begin a message, where the customer's chat is known."""
    booking = await who.job(turn, code)
    if booking.contact_id is None:
        return await jobs.card(turn, code, say("team.no_chat", phone=booking.phone))
    turn.state.begin(WRITE.name, about=code)
    return None


class Letter(Step):
    """What to tell the customer."""

    name = "letter"
    free_text = True
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
        """Type it."""
        return question(say("team.ask.letter", code=turn.state.about))

    async def read(self, turn: Turn, text: str) -> bool:
        """Any words."""
        if not text:
            return False
        turn.state.put(self.name, text)
        return True


async def _finish(turn: Turn) -> Question:
    code, words = turn.state.about or "", turn.state.get("letter")
    turn.state.begin(None)
    booking, writer = await who.job(turn, code), who.acting(turn).name
    letter = message(say("team.letter", name=writer, code=code, text=words))
    await tell(turn.ctx, booking, f"letter:{turn.incoming.channel}:{turn.incoming.event_id}", chat=letter)
    return await jobs.card(turn, code, say("team.written"))


WRITE = Flow("staff.write", (Letter(),), _finish, strict=True)
