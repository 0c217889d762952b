"""What every use case is given: the transaction, the shop's settings, and the moment."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.shop import Shop


@dataclass(frozen=True, slots=True)
class Context:
    """A use case writes to `session` and never commits: the entry point that opened it does."""

    session: AsyncSession
    shop: Shop
    now: datetime

    def at(self, moment: datetime) -> "Context":
        """The same transaction at another moment."""
        return replace(self, now=moment)
