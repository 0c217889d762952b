"""What a step sees and does during one turn, and what a step is."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from conversations.incoming import Incoming
from conversations.state import State
from conversations.understand import Lexicon, Understanding
from core.catalogue.snapshot import Catalogue
from core.context import Context
from core.db.tables import Booking, Contact
from core.messaging.messages import Document, Link, Option, Say
from core.schedule import bookings
from core.shop import Shop


@dataclass(slots=True)
class Turn:
    """One message being answered: everything a step may look at, and the replies it gathers."""

    ctx: Context
    catalogue: Catalogue
    lexicon: Lexicon
    fresh: str
    """A new random id, for the one thing this turn may create."""
    contact: Contact
    state: State
    incoming: Incoming
    heard: Understanding
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
        """Now at the workshop."""
        return self.shop.local(self.now)

    async def own_booking(self, code: str) -> Booking:
        """This customer's booking; raises `NotFound` for one of anybody else."""
        return await bookings.own(self.session, code, customer_id=self.contact.customer_id)

    def remark(self, key: str, /, **params: Any) -> None:
        """Say something before the next question."""
        self.remarks.append(Say(key, params))


@dataclass(frozen=True, slots=True)
class Question:
    """What a step asks: text, the answers to pick from (paged by the engine), and those that stand on every page."""

    says: Sequence[Say]
    options: Sequence[Option] = ()
    always: Sequence[Option] = ()
    link: Link | None = None
    document: Document | None = None
    wants: Any = None
    button: Say | None = None
    asks: str | None = None
    """The name of the step, once the engine knows: free text answers this question."""


def question(*says: Say, **rest: Any) -> Question:
    """Shorthand for a `Question` of these paragraphs."""
    return Question(says, **rest)


class Step(ABC):
    """One question of a flow: when it is asked, how, and how its answer is read.

    A step is asked when it is `needed` and its answer is missing. The readers store the answer in
    `turn.state` and return True, or return False when the text isn't an answer to this question.
    """

    name: ClassVar[str]
    free_text: ClassVar[bool] = False
    """Any words can be the answer (a name, an address), so only a question mark makes them an aside."""
    drops: ClassVar[tuple[str, ...]] = ()
    """Answers that make no sense without this one: dropped with it."""
    own_numbers: ClassVar[bool] = False
    """A typed number is the answer itself (a quantity, an hour), not the number of an option."""
    takes_photos: ClassVar[bool] = False
    """A photo can be the answer, or part of it."""

    def needed(self, turn: Turn) -> bool:
        """Whether this question arises at all."""
        return True

    @abstractmethod
    async def ask(self, turn: Turn) -> Question:
        """The question."""

    async def choose(self, turn: Turn, option: str) -> bool:
        """Take one of the options that `ask` offered."""
        turn.state.put(self.name, option)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """Take typed text (or a shared contact or place) as the answer; what it says is in `turn.heard`."""
        return self.absorb(turn)

    def heard(self, turn: Turn) -> Any:
        """The answer to this step that the message contains, or None."""
        return None

    def absorb(self, turn: Turn) -> bool:
        """Store what a message that answers several steps says of this one, to be checked when its turn comes."""
        value = self.heard(turn)
        if value is None or self.name in turn.state:
            return False
        turn.state.put(self.name, value, tentative=True)
        return True

    async def check(self, turn: Turn) -> Say | None:
        """Why a tentative answer can't stand, or None: it is dropped, and that is said."""
        return None


@dataclass(frozen=True, slots=True)
class Flow:
    """Steps in the order they are asked, and what is done when all are answered.

    `finish` returns the last words, or None when it dropped an answer that must be asked again.
    """

    name: str
    steps: tuple[Step, ...]
    finish: Callable[[Turn], Awaitable[Question | None]]
    strict: bool = False
    """What is typed is nothing but the answer: no question aside, no correction, no other wish."""
    given_up: str = "cancelled.draft"
    """The text that is said when the flow is called off."""
