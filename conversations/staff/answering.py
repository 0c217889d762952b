"""An admin replies to a waiting customer without taking the chat over, or marks the customer as helped."""

from conversations import person
from conversations.registry import action
from conversations.staff import jobs, takeover
from conversations.state import State
from conversations.turn import Flow, Question, Step, Turn, Who, question
from core.db.tables import Contact
from core.messaging.messages import say
from core.notices import escalations
from core.people import contacts
from core.refusals import NotFound


@action("answer", who=Who.ADMIN)
async def answer(turn: Turn, contact_id: str) -> None:
    """Begin a reply: the next message goes to the customer; raises `NotFound`."""
    await _customer(turn, contact_id)
    turn.state.begin(ANSWER.name, about=contact_id)


@action("helped", who=Who.ADMIN)
async def helped(turn: Turn, contact_id: str) -> Question:
    """Mark a customer as helped (by phone, at the counter): the card doesn't come again."""
    contact = await _customer(turn, contact_id)
    await escalations.close(turn.ctx, contact.id, by=turn.staff.name)
    return await jobs.menu(turn, first=say("team.helped", name=await _name(turn, contact)))


class Reply(Step):
    """The admin's text, photo or voice note."""

    name = "reply"
    free_text = True
    own_numbers = True
    takes_photos = True

    async def ask(self, turn: Turn) -> Question:
        return question(say("team.ask.reply", name=await _name(turn, await _customer(turn, turn.state.about or ""))))

    async def read(self, turn: Turn, text: str) -> bool:
        is_kept = bool(turn.incoming.photos or turn.incoming.files)
        if not text and not is_kept:
            return False
        turn.state.put(self.name, True)
        return True


async def _send(turn: Turn) -> Question:
    contact_id, _ = turn.state.close()
    contact = await takeover.write_to(turn, int(contact_id))
    minutes = takeover.WITH_WRITER.seconds // 60
    return await jobs.menu(turn, first=say("team.replied", name=await _name(turn, contact), minutes=minutes))


async def _customer(turn: Turn, contact_id: str) -> Contact:
    """A customer's chat; raises `NotFound` for staff's and for one that was erased."""
    is_id = contact_id.isdecimal() and len(contact_id) < 10
    contact = await turn.session.get(Contact, int(contact_id)) if is_id else None
    if contact is None or turn.shop.member_at(contact.channel, contact.address) is not None:
        raise NotFound
    return contact


async def _name(turn: Turn, contact: Contact) -> str:
    kept = await contacts.load_state(turn.session, contact.channel, contact.address)
    return person.name_of(contact, State.from_json(kept, now=turn.now))


ANSWER = Flow("staff.answer", (Reply(),), _send, who=Who.ADMIN, strict=True)
