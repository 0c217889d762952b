"""What every use case is given: transaction, settings and time; and what is to be done after the commit."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import Outbox
from core.shop import Shop


class Work(StrEnum):
    """Kinds of work that a transaction leaves to a background worker."""

    TELEGRAM = "telegram"  # the three channels: messages to send
    WHATSAPP = "whatsapp"
    EMAIL = "email"
    PAYMENTS = "payments"  # links to make or close, refunds, notifications to confirm
    WAITLIST = "waitlist"  # places to offer


@dataclass(slots=True)
class Effects:
    """What the entry point does after the commit; without it the workers find the work at their next poll."""

    replies: list[Outbox] = field(default_factory=list)
    """Messages that this transaction has claimed, to send at once."""
    work: set[Work] = field(default_factory=set)
    """Whose workers to wake."""


@dataclass(frozen=True, slots=True)
class Context:
    """A use case writes to `session` and never commits: the entry point that opened it does."""

    session: AsyncSession
    shop: Shop
    now: datetime
    effects: Effects = field(default_factory=Effects)

    def at(self, moment: datetime) -> "Context":
        """The same transaction at another moment."""
        return replace(self, now=moment)
