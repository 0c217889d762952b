"""Midtrans' notifications: stored once, and settled after a status call.

The status call decides, since a notification's signature doesn't cover the status.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import leases
from core.db.database import insert_once
from core.db.tables import PaymentAttempt, PaymentNotification
from core.messaging.backoff import retry_at
from core.payment import midtrans_status
from core.payment.midtrans_status import Attempt, Meaning
from core.states import Outcome

MAX_STATUS_DELAY = timedelta(hours=1)
"""How long after a notification Midtrans' status may still lack what it says."""
_TRANSACTION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PROGRESS = dict.fromkeys(midtrans_status.OVER, 1) | {
    Meaning.RECEIVED: 2,
    Meaning.REFUNDED: 3,
    Meaning.CHARGED_BACK: 3,
}
"""How far an attempt has come, 0 for any other meaning: it can be paid after it ended, and refunded after it was paid."""
_ACCOUNTS = "account"
"""Stands for the order_id of notifications about linked accounts."""
_MOST_ACCOUNTS = 1_000
"""How many of those are kept: their signature can't be checked, so anybody could send them."""


async def store_notification(session: AsyncSession, body: Mapping[str, object], *, now: datetime) -> bool:
    """Store a verified notification once, to be settled; False for a repetition."""
    return await _store(session, str(body["order_id"]), body, received_at=now, due_at=now)


async def keep_notification(session: AsyncSession, body: Mapping[str, object], *, now: datetime) -> bool:
    """Store a verified notification that has no effect (of a subscription); False for a repetition."""
    return await _store(session, str(body["order_id"]), body, received_at=now, outcome=Outcome.NO_EFFECT)


async def keep_account_notification(session: AsyncSession, body: Mapping[str, object], *, now: datetime) -> bool:
    """Store that a customer linked an account, which has no effect; False for a repetition, or one too many."""
    kept = select(PaymentNotification.id).where(PaymentNotification.order_id == _ACCOUNTS).limit(_MOST_ACCOUNTS)
    if await session.scalar(select(func.count()).select_from(kept.subquery())) == _MOST_ACCOUNTS:
        return False
    return await _store(session, _ACCOUNTS, body, received_at=now, outcome=Outcome.NO_EFFECT)


async def claim_notifications(session: AsyncSession, *, now: datetime, limit: int) -> list[str]:
    """Claim the notifications that are due for `leases.LEASE`; returns the order_ids to ask Midtrans about."""
    return sorted(set(await leases.claim(session, _CLAIM, now=now, limit=limit)))


async def notifications_settled(
    session: AsyncSession, order_id: str, *, outcomes: Sequence[Outcome], claimed_at: datetime
) -> None:
    """Finish the notifications of an order that were claimed at that moment; later ones stay due."""
    await session.execute(
        update(PaymentNotification)
        .where(
            PaymentNotification.order_id == order_id,
            PaymentNotification.due_at == claimed_at + leases.LEASE,
            PaymentNotification.attempts > 0,
        )
        .values(due_at=None, outcome="; ".join(outcomes))
    )


async def retry_notifications(
    session: AsyncSession, order_id: str, *, jitter: float, now: datetime, after: timedelta | None = None
) -> None:
    """Ask Midtrans about an order again after a backoff."""
    waiting = await session.scalars(
        select(PaymentNotification).where(
            PaymentNotification.order_id == order_id, PaymentNotification.due_at.is_not(None)
        )
    )
    for notification in waiting:
        notification.due_at = retry_at(max(1, notification.attempts), now, jitter=jitter, after=after)


async def status_is_behind(session: AsyncSession, order_id: str, outcomes: Sequence[Outcome], *, now: datetime) -> bool:
    """Whether a recent notification says more than the status answers did, so that Midtrans must be asked again.

    An answer can be older than the last one (a clock was set back), or Midtrans' status behind its notification.
    """
    if Outcome.UNKNOWN_ORDER in outcomes:
        return False
    claimed = PaymentNotification.attempts > 0
    notified = await _notified(session, order_id, claimed, PaymentNotification.received_at > now - MAX_STATUS_DELAY)
    if notified and Outcome.OUT_OF_DATE in outcomes:
        return True
    known = await known_meanings(session, order_id)
    return any(
        _PROGRESS.get(known.get(each.transaction_id, Meaning.UNKNOWN), 0) < _PROGRESS[each.meaning]
        for each in notified
        if each.meaning in midtrans_status.MONEY_MOVED
    )


async def other_attempts(session: AsyncSession, order_id: str, answer: Mapping[str, object] | None) -> list[str]:
    """The transaction_ids to ask about besides the answer's: a status by order_id is that of the newest attempt only.

    These are the attempts that can still be paid, and those with an open notification, unless it only repeats that
    an attempt is over.
    """
    known = await known_meanings(session, order_id)
    notified = {each.transaction_id: each.meaning for each in await _notified(session, order_id)}
    over = {
        name for name, meaning in notified.items() if meaning in midtrans_status.OVER and known.get(name) is meaning
    }
    payable = {name for name, meaning in known.items() if meaning in midtrans_status.PAYABLE}
    asked = {midtrans_status.read_status(answer).transaction_id} if answer is not None else set()
    return sorted(name for name in (set(notified) - over | payable) - asked if _TRANSACTION_ID.fullmatch(name))


async def known_meanings(session: AsyncSession, order_id: str) -> Mapping[str, Meaning]:
    """The last confirmed status of each attempt of an order, by transaction_id."""
    attempts = await session.scalars(select(PaymentAttempt).where(PaymentAttempt.order_id == order_id))
    return {attempt.transaction_id: midtrans_status.read_status(attempt.answer).meaning for attempt in attempts}


async def _store(session: AsyncSession, order_id: str, body: Mapping[str, object], **values: object) -> bool:
    digest = sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return await insert_once(session, PaymentNotification, order_id=order_id, digest=digest, body=body, **values)


async def _notified(session: AsyncSession, order_id: str, *which: ColumnElement[bool]) -> list[Attempt]:
    """What the open notifications of an order say."""
    is_open = (PaymentNotification.order_id == order_id, PaymentNotification.due_at.is_not(None), *which)
    bodies = await session.scalars(select(PaymentNotification.body).where(*is_open))
    return [midtrans_status.read_status(body) for body in bodies]


_CLAIM = leases.claim_statement(
    PaymentNotification.id, PaymentNotification.due_at, attempts=PaymentNotification.attempts + 1
).returning(PaymentNotification.order_id)
