"""Records the results of sending; the content of a message that is given up reaches somebody another way.

accepted ──> sent
not sent, unclear ──> due again; too often or too late: failed, another way
undeliverable, a bug ──> failed, another way
"""

import logging
from collections.abc import Callable, Collection, Sequence

from bot.channels.sending import NotSent, OutsideWindow, Unclear, Undeliverable
from bot.watching.logs import personal_words
from core import trace
from core.context import Context
from core.db.database import AWAY
from core.db.tables import Outbox
from core.messaging import outbox, outbox_claims
from core.upkeep import undelivered

LOG = logging.getLogger(__name__)

Result = str | BaseException | None
"""The vendor's id of a message it accepted, or the error."""


async def record(
    ctx: Context,
    done: Sequence[tuple[Outbox, Result]],
    *,
    channels: Collection[str],
    chance: Callable[[], float],
) -> None:
    """Record the results of claimed messages; `channels` are those that are on, `chance` gives numbers from 0 to 1."""
    if accepted := [(row, result) for row, result in done if not isinstance(result, BaseException)]:
        await outbox_claims.sent(ctx.session, accepted, now=ctx.now)
    errors = ((row, result) for row, result in done if isinstance(result, BaseException))
    for row, error in errors:
        with trace.following(row.trace, row.address, *personal_words(row.body)):
            if not await _record_error(ctx, row, error, jitter=chance()):
                await _tell_another_way(ctx, row, error, channels=channels)


async def _record_error(ctx: Context, row: Outbox, error: BaseException, *, jitter: float) -> bool:
    """Record that a message wasn't accepted; False if its content must reach somebody another way."""
    session, now = ctx.session, ctx.now
    match error:
        case NotSent(parts_left=left, retry_after=after):
            retried = await outbox_claims.retry(
                session, row, reason=str(error), now=now, jitter=jitter, after=after, parts_left=left
            )
            return retried or row.until is not None  # a reminder that is too late is of no use by mail either
        case Unclear(parts_left=left):
            return await outbox_claims.unclear(session, row, reason=str(error), now=now, jitter=jitter, parts_left=left)
        case Undeliverable() | OutsideWindow():
            await outbox_claims.failed(session, row, reason=str(error) or type(error).__name__)
        case error if isinstance(error, AWAY):  # the file couldn't be read
            reason, left = type(error).__name__, row.parts_left
            return await outbox_claims.retry(session, row, reason=reason, now=now, jitter=jitter, parts_left=left)
        case error:
            LOG.error("message %s can't be sent: a bug", row.id, exc_info=error)
            await outbox_claims.failed(session, row, reason=repr(error))
    return False


async def _tell_another_way(ctx: Context, row: Outbox, error: BaseException, *, channels: Collection[str]) -> None:
    """Have somebody told what a failed message says, and all others that wait for a chat that is closed."""
    chat_closed = isinstance(error, Undeliverable) and error.unreachable
    try:
        async with ctx.session.begin_nested():
            given_up = [row]
            if chat_closed:
                given_up += await outbox.chat_closed(
                    ctx.session, channel=row.channel, address=row.address, reason="the chat is closed", now=ctx.now
                )
            for each in given_up:
                await undelivered.escalate(ctx, each, channels=channels, unreachable=chat_closed)
    except AWAY:
        raise
    except Exception:
        # The other messages' results must still be recorded, or they would be sent again.
        LOG.exception("nobody could be told that message %s failed: a bug", row.id)
