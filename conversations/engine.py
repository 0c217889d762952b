"""One turn: from an incoming message to the reply in the outbox, in the caller's transaction.

duplicate? ── contact ── what to say (`dialogue`) ── which page of it ── outbox
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from sqlalchemy.ext.asyncio import AsyncSession

from conversations import dialogue, guesses, kinds, last_messages, person
from conversations.incoming import Incoming, together
from conversations.registry import NEXT_PAGE
from conversations.staff import takeover
from conversations.state import ORDER, State
from conversations.texts import LANGUAGES, render, templates
from conversations.turn import Question, Turn
from conversations.understand import second, spelling, understand
from conversations.understand.answers import read_command, read_staff_action, reads_as_english
from conversations.understand.lexicon import Lexicon
from core.catalogue import facts, fit, snapshot
from core.catalogue.snapshot import Catalogue, Newest
from core.context import Context
from core.messaging import outbox
from core.messaging.messages import Message
from core.people import contacts
from core.schedule import slots

MAX_OPTIONS = 5
"""A cheap phone shows that many without scrolling; `Question.always` comes on top. WhatsApp's lists hold ten."""


class IfOld(Enum):
    """What a turn does when its catalogue isn't the newest."""

    LOAD = auto()
    RAISE = auto()
    USE = auto()


class CatalogueChanged(Exception):
    """The catalogue is newer than the engine's: `Engine.refresh`, and take the turn again."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A line with words that our own reading leaves, and what a second reader may be told of the shop."""

    text: str
    """As typed, with personal data."""
    asked: str | None
    """The question on the screen."""
    now: datetime
    catalogue: Catalogue
    names: tuple[str, ...]
    """The customer's names, as far as they are known."""


class Engine:
    """Takes turns with the newest catalogue, whose indexes it keeps; `newest` may be shared."""

    def __init__(self, newest: Newest | None = None) -> None:
        self._newest = newest or Newest()
        self._known: tuple[Catalogue, Lexicon] | None = None
        self._refreshing = asyncio.Lock()

    async def refresh(self, session: AsyncSession) -> tuple[Catalogue, Lexicon]:
        """Load the catalogue if it has changed, and index it on another thread: it may hold tens of thousands of parts."""
        async with self._refreshing:
            catalogue = await self._newest.get(session)
            if self._known is None or self._known[0] is not catalogue:
                self._known = (catalogue, await asyncio.to_thread(_indexed, catalogue))
            return self._known

    async def take_turn(self, ctx: Context, incoming: Incoming, *, fresh: str, if_old: IfOld = IfOld.LOAD) -> bool:
        """Answer one message, or several together; False for a duplicate. `fresh` is a new random id.

        Raises `CatalogueChanged` if the caller says so: loading a large catalogue would keep the transaction open.
        """
        session, shop, now = ctx.session, ctx.shop, ctx.now
        new = [part for part in incoming.each if await _is_new(ctx, part)]
        if not new:
            return False
        if len(new) < len(incoming.each):
            incoming = together(new) if len(new) > 1 else new[0]
        catalogue, lexicon = await self._catalogue(session, if_old)
        contact, remembered, is_new = await contacts.find_or_create(
            session,
            incoming.channel,
            incoming.address,
            phone=incoming.phone,
            language=_language(incoming),
            now=now,
        )
        state = State.from_json(remembered, now=now)
        written_at = shop.local(incoming.written_by(now))
        understood = understand(incoming.text or "", lexicon, now=written_at, shop=shop, asked=state.asked)
        turn = Turn(ctx, catalogue, lexicon, fresh, contact, state, incoming, understood)
        if turn.member is None:
            _read_again(turn)
            last_messages.remember(state, incoming, now)
            await person.refresh(turn)
            takeover.release_writer(turn)
        if is_new and turn.member is None:
            turn.remark("welcome", shop=shop.name)
        asking = await dialogue.answer(turn)
        if asking is not None and asking.asks != guesses.ASKS:
            state.guess = []
        state.newest = kinds.newest(turn)
        message = _present(turn, asking) if asking is not None else None
        if message is not None and not (message.says or message.document):
            message = None  # what was asked for follows by itself
        await contacts.save_state(session, contact, state.to_json(), now)
        if message is not None:  # otherwise an admin has taken the conversation over, or there is nothing to say
            await outbox.reply(
                ctx,
                key=f"reply:{incoming.channel}:{incoming.event_id}",
                channel=contact.channel,
                address=contact.address,
                language=contact.language,
                message=message,
            )
        return True

    async def wants_photos(self, ctx: Context, incoming: Incoming) -> bool:
        """Whether to store photos and files from this address: staff's, and a customer's as `person.wants_media` says."""
        if ctx.shop.member_at(incoming.channel, incoming.address) is not None:
            return True
        remembered = await contacts.load_state(ctx.session, incoming.channel, incoming.address)
        return person.wants_media(State.from_json(remembered, now=ctx.now))

    async def unread(self, ctx: Context, incoming: Incoming) -> Unread | None:
        """What a second reader may be asked about a message; None if our own reading is enough, or must decide alone."""
        text, shop = incoming.text or "", ctx.shop
        if self._known is None or not text or incoming.choice or incoming.place or incoming.edited:
            return None
        if text.startswith("/") or read_command(text) or read_staff_action(text):
            return None
        if shop.member_at(incoming.channel, incoming.address) is not None:
            return None
        contact = await contacts.find(ctx.session, incoming.channel, incoming.address)
        remembered = await contacts.load_state(ctx.session, incoming.channel, incoming.address)
        state = State.from_json(remembered, now=ctx.now)
        if state.human or state.writer or state.flow not in (None, ORDER) or state.asked == guesses.ASKS:
            return None
        catalogue, lexicon = self._known
        now = shop.local(incoming.written_by(ctx.now))
        understood = understand(text, lexicon, now=now, shop=shop, asked=state.asked)
        if not second.is_needed(understood, text, state.asked):
            return None
        names = (incoming.name, state.called, contact.customer.name if contact else None)
        return Unread(text, state.asked, now, catalogue, tuple(name for name in names if name))

    async def _catalogue(self, session: AsyncSession, if_old: IfOld) -> tuple[Catalogue, Lexicon]:
        known = self._known
        if known and (if_old is IfOld.USE or known[0].version == await snapshot.version(session)):
            return known
        if if_old is IfOld.RAISE:
            raise CatalogueChanged
        return await self.refresh(session)


def _read_again(turn: Turn) -> None:
    """Add what a second reader found: a call for a person counts, the rest is asked about first."""
    if not turn.incoming.second or not second.is_needed(turn.understood, turn.incoming.text or "", turn.state.asked):
        return
    now = turn.written_at
    acts = second.new_in(second.checked(turn.incoming.second, turn.lexicon, now=now, shop=turn.shop), turn.understood)
    turn.understood = second.with_calls(turn.understood, acts)
    turn.second = tuple(act for act in acts if act.topic not in second.CALLS)


async def _is_new(ctx: Context, part: Incoming) -> bool:
    return await contacts.record_inbound(ctx.session, part.channel, part.event_id, part.address, ctx.now)


def _indexed(catalogue: Catalogue) -> Lexicon:
    """All that a turn looks things up in, so that no turn has to read or index it first."""
    for language in LANGUAGES:
        templates(language)
    spelling.read_all()
    fit.prepare(catalogue)
    facts.prepare(catalogue)
    slots.prepare()
    return Lexicon.of(catalogue)


def _present(turn: Turn, asking: Question) -> Message:
    """Number the question and remember the options on its page, so that taps, numbers and labels can be read."""
    state, options = turn.state, asking.options
    if len(options) > MAX_OPTIONS:
        first = (state.page % -(-len(options) // MAX_OPTIONS)) * MAX_OPTIONS
        options = (*options[first : first + MAX_OPTIONS], NEXT_PAGE)
    options = (*options, *asking.always)
    state.asked = asking.asks
    state.prompt += 1
    state.shown = [(option.id, render(option.label, turn.contact.language)) for option in options]
    return Message(
        says=(*turn.remarks, *asking.says),
        options=options,
        prompt=state.prompt,
        link=asking.link,
        document=asking.document,
        wants=asking.wants,
        button=asking.button,
    )


def _language(incoming: Incoming) -> str:
    """The language of the customer's app; if the channel doesn't tell, the language of the first message."""
    if incoming.language is None:
        return LANGUAGES[reads_as_english(incoming.text or "")]
    return "id" if incoming.language.lower().startswith(("id", "in", "ms", "jv", "su")) else "en"
