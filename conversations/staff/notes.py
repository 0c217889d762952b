"""A work note of text and photos, and a message to the customer of a booking."""

from conversations.registry import action
from conversations.staff import jobs, takeover
from conversations.turn import Flow, Question, Step, Turn, Who, question
from conversations.understand.answers import read_done
from core import work
from core.media import MOST_PHOTOS
from core.messaging.messages import Option, message, say
from core.notices.tell import tell


@action("note", who=Who.STAFF)
async def note(turn: Turn, code: str) -> None:
    await turn.job(code)
    turn.state.begin(NOTE.name, about=code)


class Content(Step):
    """The text and photos of the note; each message adds to it."""

    name = "content"
    free_text = True
    own_numbers = True
    takes_photos = True

    async def ask(self, turn: Turn) -> Question:
        words, photos = turn.state.get("words", []), turn.state.get("photos", [])
        if not words and not photos:
            return question(say("team.ask.note"))
        return question(
            say("team.ask.more_note", words=len(words), photos=len(photos)),
            options=[Option("done", say("team.option.note_done"))],
        )

    async def read(self, turn: Turn, text: str) -> bool:
        """Text, photos, or a photo with a caption; "selesai" ends the note."""
        begun = "words" in turn.state or "photos" in turn.state
        if begun and not turn.incoming.media and read_done(text):
            return await self.choose(turn, "done")
        if text:
            turn.state.put("words", [*turn.state.get("words", []), text])
        if turn.incoming.media and not turn.incoming.photos:
            turn.remark("team.photo_unread")
        photos = [*turn.state.get("photos", []), *turn.incoming.photos]
        if len(photos) > MOST_PHOTOS:
            turn.remark("team.photos_full", most=MOST_PHOTOS)
        if photos:
            turn.state.put("photos", photos[:MOST_PHOTOS])
        return bool(text or turn.incoming.media)


async def _add_note(turn: Turn) -> Question:
    code, answers = turn.state.close()
    text, photos = "\n".join(answers.get("words", [])), answers.get("photos", [])
    await work.add_note(turn.ctx, await turn.job(code), text, photos=photos, actor=turn.staff.name)
    return await jobs.done(turn, code, say("team.noted"))


@action("write", who=Who.ADMIN)
async def write(turn: Turn, code: str) -> Question | None:
    """Begin a message, if the customer's chat is known."""
    booking = await turn.job(code)
    if booking.contact_id is None:
        return await jobs.card(turn, code, say("team.no_chat", phone=booking.phone or "-"))
    turn.state.begin(WRITE.name, about=code)
    return None


class MessageText(Step):
    name = "letter"
    free_text = True
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
        return question(say("team.ask.letter", code=turn.state.about))

    def parse(self, turn: Turn, text: str) -> str | None:
        return text or None


async def _send(turn: Turn) -> Question:
    code, answers = turn.state.close()
    words = message(say("team.letter", name=turn.staff.name, code=code, text=answers["letter"]))
    key = f"letter:{turn.incoming.channel}:{turn.incoming.event_id}"
    booking = await turn.job(code)
    await tell(turn.ctx, booking, key, chat=words)
    if booking.contact_id is not None:
        await takeover.expect_answer(turn, booking.contact_id)
    return await jobs.card(turn, code, say("team.written"))


NOTE = Flow("staff.note", (Content(),), _add_note, who=Who.STAFF, strict=True)
WRITE = Flow("staff.write", (MessageText(),), _send, who=Who.ADMIN, strict=True)
