"""The messages in the outbox: claimed by a sender, shown to the vendor, recorded.

due ── claim ──> sending ── show ──> the vendor ──┬──> sent     accepted
 ^                  │                             ├──> failed   given up
 ├── hand back ─────┘ a crash: not shown          └──> due      not sent, or unclear
 └── the lease ran out: sent again

A message whose result is unclear (shown to the vendor, but no answer came back) is sent again: somebody waits for it, and
a duplicate costs less than silence. Money never moves by a message: refunds and payment links have keys of their own.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Executable, and_, bindparam, case, exists, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.db.leases import update_unlocked
from core.db.tables import Moment, Outbox
from core.messaging.backoff import retry_at
from core.messaging.outbox import GIVE_UP_AFTER, LEASE, unfinished

_MOST_POSTPONED = 10_000
MOST_UNCLEAR = 4
"""After so many unclear tries a further one is the last, so that a vendor that takes everything and never answers doesn't
repeat one message for two days.
"""


async def claim(
    session: AsyncSession,
    *,
    now: datetime,
    limit: int,
    channels: Collection[str],
    in_hand: Collection[int] = (),
) -> list[Outbox]:
    """Claim the first due message of each chat for `LEASE`; those past their time are dropped, and returned too.

    The caller must give up one with more than `MOST_UNCLEAR` unclear tries. `in_hand`: ids the caller is still sending,
    never claimed again, even if a clock change ends their lease.
    """
    values = {"now": now, "leased_until": now + LEASE, "channels": list(channels), "most": limit}
    claimed = await session.scalars(_CLAIM, values | {"in_hand": list(in_hand)})
    rows = sorted(claimed, key=lambda row: (row.due_at, row.id))
    for row in rows:
        if now > _wanted_until(row):
            row.state, row.error = "dropped", "too late to be of use"
    return rows


async def postpone(
    session: AsyncSession,
    *,
    now: datetime,
    due_at: datetime,
    channels: Collection[str],
    in_hand: Collection[int] = (),
) -> None:
    """Postpone the due messages that are only sent by day: an outage or a retry delayed them into the night."""
    values = {
        "now": now,
        "later": due_at,
        "channels": list(channels),
        "in_hand": list(in_hand),
        "most": _MOST_POSTPONED,
    }
    await session.execute(_POSTPONE, values)


async def mark_shown(session: AsyncSession, rows: Collection[Outbox]) -> set[int]:
    """Record that claimed messages are about to be sent; the ids of those whose claim still holds."""
    still = update(Outbox).where(_as_claimed(rows)).values(shown=True).returning(Outbox.id)
    return set(await session.scalars(still.execution_options(synchronize_session=False)))


async def hand_back(session: AsyncSession, rows: Collection[Outbox]) -> None:
    """Make claimed messages due again that were not shown to a vendor."""
    await session.execute(
        update(Outbox)
        .where(_as_claimed(rows))
        .values(state="due", not_before=Outbox.due_at, attempts=Outbox.attempts - 1)
    )


async def renew(session: AsyncSession, rows: Collection[Outbox], *, now: datetime) -> None:
    """Renew claims for another `LEASE` while the messages are being sent."""
    # A locked row is being recorded just now; waiting for it while holding others could deadlock.
    still = select(Outbox.id).where(_as_claimed(rows)).with_for_update(skip_locked=True)
    await session.execute(update(Outbox).where(Outbox.id.in_(still)).values(not_before=now + LEASE))


async def end_leases(session: AsyncSession, *, now: datetime) -> None:
    """End all claims: the process that made them is gone."""
    await session.execute(update(Outbox).where(unfinished(Outbox), Outbox.state == "sending").values(not_before=now))


async def sent(session: AsyncSession, accepted: Iterable[tuple[Outbox, str | None]], *, now: datetime) -> None:
    """Record in one statement that vendors accepted claimed messages; with each the vendor's id."""
    # In id order, since delivery reports lock the same rows.
    in_order = sorted(accepted, key=lambda each: each[0].id)
    values = [{"of": row.id, "as_claimed": row.attempts, "by": vendor_id, "at": now} for row, vendor_id in in_order]
    await session.execute(_SENT, values)


async def failed(session: AsyncSession, row: Outbox, *, reason: str) -> None:
    await _record(session, row, state="failed", error=reason)


async def retry(
    session: AsyncSession,
    row: Outbox,
    *,
    reason: str,
    now: datetime,
    jitter: float,
    after: timedelta | None = None,
    parts_left: int | None = None,
) -> bool:
    """Retry a claimed message after its backoff and `after`; False if that is too late: then it is given up.

    `parts_left`: how many of its parts remain (None: all).
    """
    again = retry_at(row.attempts, now, jitter=jitter, after=after)
    if again > _wanted_until(row):
        await failed(session, row, reason=reason)
        return False
    await _record(session, row, state="due", not_before=again, error=reason, parts_left=parts_left)
    return True


async def unclear(
    session: AsyncSession, row: Outbox, *, reason: str, now: datetime, jitter: float, parts_left: int | None = None
) -> bool:
    """Retry a message that may have been sent; after `MOST_UNCLEAR` such tries give it up and return False."""
    if row.unclear >= MOST_UNCLEAR:
        await failed(session, row, reason=reason)
        return False
    again = retry_at(row.attempts, now, jitter=jitter)
    await _record(
        session, row, state="due", not_before=again, unclear=row.unclear + 1, error=reason, parts_left=parts_left
    )
    return True


async def vendor_ids(session: AsyncSession, rows: Collection[Outbox]) -> Sequence[str]:
    """The vendor ids of other messages to these chats that may have been sent since these rows were written."""
    if not rows:
        return []
    found = await session.scalars(
        select(Outbox.vendor_id).where(
            Outbox.created_at >= min(row.created_at for row in rows) - GIVE_UP_AFTER,
            Outbox.address.in_({row.address for row in rows}),
            Outbox.vendor_id.is_not(None),
            Outbox.id.not_in([row.id for row in rows]),
        )
    )
    return [each for each in found if each is not None]


def _wanted_until(row: Outbox) -> datetime:
    return row.until or row.due_at + GIVE_UP_AFTER


def _as_claimed(rows: Collection[Outbox]) -> ColumnElement[bool]:
    """Those rows that nobody else has claimed since."""
    claims = tuple_(Outbox.id, Outbox.attempts).in_([(row.id, row.attempts) for row in rows])
    return and_(claims, Outbox.state == "sending")


async def _record(session: AsyncSession, row: Outbox, **values: Any) -> None:
    await session.execute(_RECORD, {"of": row.id, "as_claimed": row.attempts} | values)


def _an_earlier_one_waits() -> ColumnElement[bool]:
    earlier = aliased(Outbox)
    return exists().where(
        unfinished(earlier),
        earlier.channel == Outbox.channel,
        earlier.address == Outbox.address,
        tuple_(earlier.due_at, earlier.id) < tuple_(Outbox.due_at, Outbox.id),
    )


def _claim_statement() -> Executable:
    now = bindparam("now", type_=Moment())
    chosen = (
        select(Outbox.id)
        .where(
            unfinished(Outbox),
            Outbox.due_at <= now,
            Outbox.not_before <= now,
            Outbox.channel.in_(bindparam("channels", expanding=True)),
            Outbox.id.not_in(bindparam("in_hand", expanding=True)),
            ~_an_earlier_one_waits(),
        )
        .order_by(Outbox.due_at, Outbox.id)
    )
    return (
        update_unlocked(Outbox.id, chosen)
        .values(
            state="sending",
            not_before=bindparam("leased_until", type_=Moment()),
            attempts=Outbox.attempts + 1,
            # The previous claim ended without a result.
            unclear=Outbox.unclear + case((and_(Outbox.state == "sending", Outbox.shown), 1), else_=0),
            shown=False,
        )
        .returning(Outbox)
    )


def _postpone_statement() -> Executable:
    now, later = bindparam("now", type_=Moment()), bindparam("later", type_=Moment())
    due = select(Outbox.id).where(
        unfinished(Outbox),
        Outbox.by_day,
        Outbox.due_at <= now,
        Outbox.not_before <= now,
        Outbox.channel.in_(bindparam("channels", expanding=True)),
        Outbox.id.not_in(bindparam("in_hand", expanding=True)),
    )
    return update_unlocked(Outbox.id, due).values(due_at=later, not_before=later)


# Built once: building costs more than running.
_CLAIM, _POSTPONE = _claim_statement(), _postpone_statement()
# `attempts` identifies the claim: after losing the lease, nothing is recorded.
_STILL_CLAIMED = and_(
    Outbox.id == bindparam("of"), Outbox.state == "sending", Outbox.attempts == bindparam("as_claimed")
)
_RECORD = update(Outbox).where(_STILL_CLAIMED).execution_options(synchronize_session=False)
_SENT = (
    # Of the table: SQLAlchemy takes many values for the class as changes by primary key alone.
    update(Outbox.metadata.tables[Outbox.__tablename__])
    .where(_STILL_CLAIMED)
    .values(
        state="sent",
        vendor_id=bindparam("by"),
        sent_at=bindparam("at"),
        error=None,
        # Ignore delivery reports for an earlier vendor id.
        delivery=case((Outbox.vendor_id == bindparam("by"), Outbox.delivery)),
    )
)
