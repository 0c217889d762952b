"""A work note: text and photos until the technician is done."""

from conversations.registry import action
from conversations.staff import jobs, who
from conversations.turn import Flow, Question, Step, Turn, Who, question
from conversations.understand.answers import read_done
from core import work
from core.media import MOST_PHOTOS
from core.messaging.messages import Option, say


@action("note", who=Who.STAFF)
async def note(turn: Turn, code: str) -> None:
    await who.job(turn, code)
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

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.put(self.name, True)
        return True

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


async def _finish(turn: Turn) -> Question:
    code, answers = turn.state.close()
    await work.add_note(
        turn.ctx,
        await who.job(turn, code),
        "\n".join(answers.get("words", [])),
        photos=answers.get("photos", []),
        actor=who.acting(turn).name,
    )
    return await jobs.card(turn, code, say("team.noted"))


NOTE = Flow("staff.note", (Content(),), _finish, who=Who.STAFF, strict=True)
