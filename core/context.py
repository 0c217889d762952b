"""What every use case is given: the transaction, the shop's settings and the time; and what is to be done after it."""

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
    """What the entry point does once the transaction is committed; else the workers find it at their next poll."""

    replies: list[Outbox] = field(default_factory=list)
    """Messages that this transaction has claimed, to be sent at once."""
    work: set[Work] = field(default_factory=set)
    """Kinds of work it has left, whose workers are to be woken."""


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
