"""What became of a message that was handed to its channel, written down; what is given up is told another way.

accepted ──> sent        not sent, unclear ──> due again, or too often: failed ──> told otherwise
never taken, a bug ──> failed ──────────────────────────────────────────────────> told otherwise
"""

import logging
from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels.sending import NotSent, OutsideWindow, Unclear, Undeliverable
from bot.watching.logs import personal_words
from core import trace
from core.context import Context
from core.db.database import AWAY
from core.db.tables import Outbox
from core.messaging import outbox, outbox_claims
from core.shop import Shop
from core.upkeep import undelivered

LOG = logging.getLogger(__name__)

Outcome = str | BaseException | None
"""The vendor's id of what was sent, or what went wrong."""


async def record(
    session: AsyncSession,
    done: Iterable[tuple[Outbox, Outcome]],
    *,
    shop: Shop,
    channels: Collection[str],
    chance: Callable[[], float],
    now: datetime,
) -> None:
    """Write down what became of claimed messages; `channels` are those that are on, `chance` is from 0 to 1."""
    accepted: list[tuple[Outbox, str | None]] = []
    others: list[tuple[Outbox, BaseException]] = []
    for row, outcome in done:
        if isinstance(outcome, BaseException):
            others.append((row, outcome))
        else:
            accepted.append((row, outcome))
    if accepted:
        await outbox_claims.sent(session, accepted, now=now)
    for row, error in others:
        with trace.following(row.trace, row.address, *personal_words(row.body)):
            if not await _goes_on(session, row, error, jitter=chance(), now=now):
                await _try_to_tell(session, row, error, shop=shop, channels=channels, now=now)


async def _goes_on(session: AsyncSession, row: Outbox, outcome: BaseException, *, jitter: float, now: datetime) -> bool:
    """Record that it wasn't accepted; False where it is given up."""
    match outcome:
        case NotSent(parts_left=left, retry_after=after):
            why, had_its_time = str(outcome), row.until is not None
            again = await outbox_claims.retry(
                session, row, reason=why, now=now, jitter=jitter, after=after, parts_left=left
            )
            return again or had_its_time  # a reminder that comes too late is of no use by mail either
        case Unclear(parts_left=left):
            return await outbox_claims.unclear(
                session, row, reason=str(outcome), now=now, jitter=jitter, parts_left=left
            )
        case Undeliverable() | OutsideWindow():
            await outbox_claims.failed(session, row, reason=str(outcome) or type(outcome).__name__)
        case error if isinstance(error, AWAY):  # the file couldn't be read
            why, left = type(error).__name__, row.parts_left
            return await outbox_claims.retry(session, row, reason=why, now=now, jitter=jitter, parts_left=left)
        case error:
            LOG.error("message %s can't be sent: a bug", row.id, exc_info=error)
            await outbox_claims.failed(session, row, reason=repr(error))
    return False


async def _try_to_tell(
    session: AsyncSession,
    row: Outbox,
    error: BaseException,
    *,
    shop: Shop,
    channels: Collection[str],
    now: datetime,
) -> None:
    closed = isinstance(error, Undeliverable) and error.unreachable
    try:
        async with session.begin_nested():
            await _tell_otherwise(session, row, closed=closed, shop=shop, channels=channels, now=now)
    except AWAY:
        raise
    except Exception:
        # What other messages came to must be recorded all the same, or they would be sent again.
        LOG.exception("nobody could be told that message %s failed: a bug", row.id)


async def _tell_otherwise(
    session: AsyncSession, row: Outbox, *, closed: bool, shop: Shop, channels: Collection[str], now: datetime
) -> None:
    """Have somebody told what a failed message says, and whatever else waited for a chat that is closed."""
    chat = {"channel": row.channel, "address": row.address}
    others = await outbox.chat_closed(session, **chat, reason="the chat is closed", now=now) if closed else ()
    for given_up in (row, *others):
        await undelivered.tell_otherwise(Context(session, shop, now), given_up, channels=channels, unreachable=closed)
