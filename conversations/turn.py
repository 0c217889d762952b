"""What a step reads and does during one turn, and what a step is."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from conversations.incoming import Incoming
from conversations.state import State
from conversations.understand import Understanding, understand
from conversations.understand.acts import DialogueAct
from conversations.understand.answers import read_skip, read_yes_no, reads_as_adding
from conversations.understand.lexicon import Lexicon
from core.catalogue.snapshot import Catalogue
from core.context import Context
from core.db.tables import Booking, Contact
from core.messaging.messages import Document, Link, Option, Say, say
from core.pricing import policy
from core.refusals import NotFound, Refusal
from core.schedule import bookings
from core.shop import Shop, StaffMember


class Who(IntEnum):
    """Who may do something; each may do what those above may."""

    CUSTOMER = 0
    STAFF = 1
    ADMIN = 2


@dataclass(slots=True)
class Turn:
    """One message being answered: what a step may read, and the remarks it adds."""

    ctx: Context
    catalogue: Catalogue
    lexicon: Lexicon
    fresh: str
    """A new random id."""
    contact: Contact
    state: State
    incoming: Incoming
    understood: Understanding
    second: tuple[DialogueAct, ...] = ()
    """What a second reader found and our own reading doesn't say: asked about before it counts (`guesses`)."""
    remarks: list[Say] = field(default_factory=list)
    """What is said before the next question."""

    @property
    def session(self) -> AsyncSession:
        return self.ctx.session

    @property
    def shop(self) -> Shop:
        return self.ctx.shop

    @property
    def now(self) -> datetime:
        return self.ctx.now

    @property
    def local_now(self) -> datetime:
        return self.shop.local(self.now)

    @property
    def written_at(self) -> datetime:
        """When the message was written, in the workshop's zone: "besok" counts from then."""
        return self.shop.local(self.incoming.written_by(self.now))

    @property
    def new_code(self) -> str:
        """The code of the booking that this turn may create."""
        return f"BK-{self.fresh[:8]}"

    async def own_booking(self, code: str) -> Booking:
        """This customer's booking; raises `NotFound` for anybody else's."""
        return await bookings.own(self.session, code, customer_id=self.contact.customer_id)

    @property
    def adds(self) -> bool:
        """Whether the message adds to what was chosen ("sekalian", "sama"), rather than replacing it."""
        return reads_as_adding(self.incoming.text or "")

    def reread(self, text: str) -> None:
        """Go on as if this was what the message says."""
        self.understood = understand(text, self.lexicon, now=self.written_at, shop=self.shop)

    @property
    def member(self) -> StaffMember | None:
        """The staff member who writes, by the chat's address; None for a customer."""
        return self.shop.member_at(self.contact.channel, self.contact.address)

    @property
    def staff(self) -> StaffMember:
        """The staff member who writes; raises `NotFound` for a customer."""
        if self.member is None:
            raise NotFound
        return self.member

    async def job(self, code: str) -> Booking:
        """A booking that the writing staff member may work on; raises `NotFound`, `NotAssigned`."""
        booking = await bookings.load(self.session, code=code)
        policy.check_may_work_on(self.staff, booking.technician_id)
        return booking

    def may(self, who: Who) -> bool:
        """Whether the writer has these rights; looked up in the settings at each turn."""
        if self.member is None:
            return who is Who.CUSTOMER
        return who <= (Who.ADMIN if self.member.role == "admin" else Who.STAFF)

    @asynccontextmanager
    async def undone_if_refused(self) -> AsyncIterator[None]:
        """A savepoint. A refusal undoes it and goes on; what it expired of the contact is read again, because a step
        reads the contact's data without awaiting.
        """
        try:
            async with self.session.begin_nested():
                yield
        except Refusal:
            await self.session.refresh(self.contact)
            await self.session.refresh(self.contact.customer)
            raise

    def remark(self, key: str, /, **params: Any) -> None:
        self.remarks.append(Say(key, params))

    def remark_refusal(self, refusal: Refusal) -> None:
        self.remark(f"refusal.{refusal.code}", **refusal.params)


@dataclass(frozen=True, slots=True)
class Question:
    """What a step asks: paragraphs, options (paged), and options shown on every page."""

    says: Sequence[Say]
    options: Sequence[Option] = ()
    always: Sequence[Option] = ()
    link: Link | None = None
    document: Document | None = None
    wants: Any = None
    button: Say | None = None
    asks: str | None = None
    """The name of the step, set by `dialogue`; text answers this question."""


def question(*says: Say, **rest: Any) -> Question:
    return Question(says, **rest)


SKIP = Option("skip", say("option.skip"))
SKIPPED = ""
MIN_LENGTH = 3
"""Characters of a text that a customer will read."""


class Step:
    """One question of a flow: when it is asked, how, and how its answer is read.

    A step is asked when it is `needed` and has no answer. `choose`, `read` and `absorb` store the answer in `turn.state`
    and return True, or return False when this question isn't answered.
    """

    name: ClassVar[str]
    text: ClassVar[str]
    """The key of the question, for a step that doesn't override `ask`."""
    skips: ClassVar[bool] = False
    """The question can be skipped, by a button or in words; the answer is then `SKIPPED`."""
    free_text: ClassVar[bool] = False
    """Any text can be the answer (a name, an address); only a question mark makes it an aside."""
    drops: ClassVar[tuple[str, ...]] = ()
    """Answers that depend on this one and are dropped with it."""
    own_numbers: ClassVar[bool] = False
    """A typed number is the answer (a quantity, an hour), not the number of an option."""
    on_request: ClassVar[bool] = False
    """Only asked when the customer wants to change something: "back" doesn't lead there."""
    takes_photos: ClassVar[bool] = False
    """A photo can be the answer, or part of it."""
    takes_place: ClassVar[bool] = False
    """A shared location can be the answer."""
    reopened_by: ClassVar[tuple[type[Refusal], ...]] = ()
    """Refusals at the end of the flow that another answer to this question can avoid."""

    def needed(self, turn: Turn) -> bool:
        return True

    async def ask(self, turn: Turn) -> Question:
        return question(say(self.text), options=[SKIP] if self.skips else ())

    async def choose(self, turn: Turn, option: str) -> bool:
        """Take one of the options that `ask` offered."""
        turn.state.put(self.name, SKIPPED if self.skips and option == SKIP.id else option)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """Take typed text (or a shared contact or place) as the answer."""
        answer = self.parse(turn, text)
        said = self.understood_as_skipped(turn)
        if answer is None and self.skips and (said or read_skip(text)):
            answer = SKIPPED
        if answer is None:
            return await self.absorb(turn)
        turn.state.put(self.name, answer)
        return True

    def understood_as_skipped(self, turn: Turn) -> bool:
        """ "ga inget platnya", "gak usah email"."""
        return self.name in turn.understood.unknown | turn.understood.refused

    def parse(self, turn: Turn, text: str) -> Any:
        """The answer that a text to this question gives, or None; what was understood is `turn.understood`."""
        return None

    async def absorb(self, turn: Turn) -> bool:
        """Store the answer that a message to another question contains, to be checked when this step is reached."""
        value = turn.understood.answers.get(self.name)
        if value is None or self.name in turn.state:
            return False
        turn.state.put(self.name, value, tentative=True)
        return True

    async def check(self, turn: Turn, answer: Any) -> Say | None:
        """Why a tentative answer can't stand, or None; a complaint is said and drops the answer."""
        return None

    async def take(self, turn: Turn, answer: Any, *, recheck: Sequence[str]) -> bool:
        """Store an answer and check others again, or say why it can't stand."""
        complaint = await self.check(turn, answer)
        if complaint is not None:
            turn.remarks.append(complaint)
        else:
            turn.state.put(self.name, answer)
            turn.state.recheck(*recheck)
        return True

    def reopen(self, turn: Turn, refusal: Refusal) -> None:
        turn.state.drop(self.name, *self.drops)


class Words(Step):
    """Text on one line that a customer will read."""

    free_text = True
    max_length: ClassVar[int]

    def parse(self, turn: Turn, text: str) -> str | None:
        return " ".join(text.split()) if MIN_LENGTH <= len(text) <= self.max_length else None


class YesNo(Step):
    """Yes or no, by button or in words; without another `choose` the answer is True or False."""

    no: ClassVar[str] = "no"
    """The option that a typed "no" means."""

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.put(self.name, option == "yes")
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        agreed = read_yes_no(text)
        return False if agreed is None else await self.choose(turn, "yes" if agreed else self.no)


@dataclass(frozen=True, slots=True)
class Flow:
    """Steps in the order they are asked, and what is done when all are answered.

    `finish` runs in a savepoint. A refusal undoes it and asks again each step that is `reopened_by` it; where there is
    none, the flow ends with `refused` (given the booking's code), or the menu.
    """

    name: str
    steps: tuple[Step, ...]
    finish: Callable[[Turn], Awaitable[Question]]
    who: Who = Who.CUSTOMER
    strict: bool = False
    """Text is only ever the answer: no question aside, no correction, no other wish."""
    refused: Callable[[Turn, str], Awaitable[Question]] | None = None
    cancelled: str = "cancelled.form"
    """The text said when the flow is called off."""
