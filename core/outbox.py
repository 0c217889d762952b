"""Messages to send, written with what causes them: once per business key, at least once sent, in a chat's order.

enqueue ──> due ── claim ──> sending ──┬──> sent       the vendor has accepted it
             ^       reply ───^        ├──> failed     given up
             └── retry, lease ran out ─┘    dropped    no longer wanted
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    Text,
    Update,
    and_,
    bindparam,
    case,
    cast,
    exists,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core import trace
from core.database import insert_once, leave_work
from core.messages import Message, to_json
from core.tables import Contact, Moment, Outbox

EVER = datetime.min.replace(tzinfo=UTC)
"""Before every moment."""
LEASE = timedelta(seconds=20)
"""How long a claimed message is its claimer's, who renews it while it is being sent: so long waits what a crash left."""
PATIENCE = timedelta(days=2)
"""How long a message without an `until` is tried."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=5)
MOST_UNCLEAR = 1


async def enqueue(
    session: AsyncSession,
    *,
    key: str,
    channel: str,
    address: str,
    language: str,
    message: Message,
    now: datetime,
    due_at: datetime | None = None,
    until: datetime | None = None,
    kind: str = "reply",
    booking_id: int | None = None,
    about: int | None = None,
) -> bool:
    """Write a message to be sent at `due_at` (now when None); False when its key was written before.

    `about`: the contact of the customer whom it tells staff of.
    """
    leave_work(session, channel)
    return await insert_once(
        session,
        Outbox,
        key=key,
        channel=channel,
        address=address,
        language=language,
        body=to_json(message),
        booking_id=booking_id,
        about=about,
        kind=kind,
        due_at=due_at or now,
        not_before=due_at or now,
        until=until,
        trace=trace.current().id,
        created_at=now,
    )


async def reply(
    session: AsyncSession, *, key: str, channel: str, address: str, language: str, message: Message, now: datetime
) -> None:
    """Write the answer to what a chat has just said; unless an earlier message waits there, it is claimed at once.

    Whoever commits it sends what `claimed` says, and need not look for it: the vendor sees it in the next moment.
    """
    values = {
        "key": key,
        "channel": channel,
        "address": address,
        "language": language,
        "body": to_json(message),
        "kind": "reply",
        "trace": trace.current().id,
        "due_at": now,
        "created_at": now,
    }
    row = (await session.execute(_REPLY, values | {"now": now, "leased_until": now + LEASE})).one()
    if row.state == "sending":
        session.info.setdefault("claimed", []).append(Outbox(**values | dict(row._mapping), unclear=0, shown=True))
    else:
        leave_work(session, channel)


def claimed(session: AsyncSession) -> Sequence[Outbox]:
    """What this transaction has written and claimed: to be sent once it is committed."""
    return tuple(session.info.get("claimed", ()))


async def hand_back(session: AsyncSession, rows: Collection[Outbox]) -> None:
    """Leave claimed messages to whoever looks next: they were shown to no vendor."""
    await session.execute(
        update(Outbox)
        .where(_as_claimed(rows))
        .values(state="due", not_before=Outbox.due_at, attempts=Outbox.attempts - 1)
    )


async def claim(
    session: AsyncSession,
    *,
    now: datetime,
    limit: int,
    channels: Collection[str],
    in_hand: Collection[int] = (),
) -> list[Outbox]:
    """Take the first due message of each chat for `LEASE`, or drop it where nobody wants it any more.

    The dropped ones are among them; one with more than `MOST_UNCLEAR` unclear tries is only to be given up.
    `in_hand`: what the claimer is still sending, which stays claimed even where a clock that was set ends its lease.
    """
    values = {"now": now, "leased_until": now + LEASE, "channels": list(channels), "most": limit}
    claimed = await session.scalars(_CLAIM, values | {"in_hand": list(in_hand)})
    rows = sorted(claimed, key=lambda row: (row.due_at, row.id))
    for row in rows:
        if now > _wanted_until(row):
            row.state, row.error = "dropped", "too late to be of use"
    return rows


async def show(session: AsyncSession, rows: Collection[Outbox]) -> set[int]:
    """Note that the vendor is about to see claimed messages; the numbers of those that are still the claimer's."""
    still = update(Outbox).where(_as_claimed(rows)).values(shown=True).returning(Outbox.id)
    return set(await session.scalars(still.execution_options(synchronize_session=False)))


async def renew(session: AsyncSession, rows: Collection[Outbox], *, now: datetime) -> None:
    """Keep claimed messages for another `LEASE`: they are still being sent."""
    # What somebody else has locked is just being recorded; to wait for it, holding others, could be a deadlock.
    still = select(Outbox.id).where(_as_claimed(rows)).with_for_update(skip_locked=True)
    await session.execute(update(Outbox).where(Outbox.id.in_(still)).values(not_before=now + LEASE))


async def take_over(session: AsyncSession, *, now: datetime) -> None:
    """Let what was being sent be claimed at once: whoever had claimed it is gone."""
    await session.execute(update(Outbox).where(_unfinished(Outbox), Outbox.state == "sending").values(not_before=now))


async def sent(session: AsyncSession, accepted: Iterable[tuple[Outbox, str | None]], *, now: datetime) -> None:
    """Record that the vendors accepted claimed messages, by one statement; with each the vendor's id of it."""
    # In one order, since the reports of their delivery are noted at the same time.
    in_order = sorted(accepted, key=lambda each: each[0].id)
    values = [{"of": row.id, "as_claimed": row.attempts, "by": vendor_id, "at": now} for row, vendor_id in in_order]
    await session.execute(_SENT, values)


async def failed(session: AsyncSession, row: Outbox, *, reason: str) -> None:
    """Give a claimed message up."""
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
    """Try a claimed message again after its backoff, and not before `after`; False when that is too late: given up.

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
    """Nobody knows whether a claimed message was sent: once it is sent again; the second time (False) it is given up."""
    if row.unclear >= MOST_UNCLEAR:
        await failed(session, row, reason=reason)
        return False
    again = retry_at(row.attempts, now, jitter=jitter)
    await _record(
        session, row, state="due", not_before=again, unclear=row.unclear + 1, error=reason, parts_left=parts_left
    )
    return True


async def vendor_ids(session: AsyncSession, rows: Collection[Outbox]) -> Sequence[str]:
    """What vendors call the other messages to these chats that may have been sent since these were written."""
    if not rows:
        return []
    found = await session.scalars(
        select(Outbox.vendor_id).where(
            Outbox.created_at >= min(row.created_at for row in rows) - PATIENCE,
            Outbox.address.in_({row.address for row in rows}),
            Outbox.vendor_id.is_not(None),
            Outbox.id.not_in([row.id for row in rows]),
        )
    )
    return [each for each in found if each is not None]


async def chat_closed(
    session: AsyncSession, *, channel: str, address: str, reason: str, now: datetime
) -> Sequence[Outbox]:
    """Mark a contact that can't be reached any more, and give up what waits for it, which is answered."""
    await session.execute(
        update(Contact).where(Contact.channel == channel, Contact.address == address).values(unreachable_at=now)
    )
    given_up = await session.scalars(
        update(Outbox)
        .where(Outbox.channel == channel, Outbox.address == address, _unfinished(Outbox), Outbox.due_at <= now)
        .values(state="failed", error=reason)
        .returning(Outbox)
    )
    return given_up.all()


async def drop(
    session: AsyncSession,
    booking_id: int,
    *,
    kinds: Collection[str] = ("reminder",),
    after: datetime = EVER,
) -> None:
    """Drop what waits for a booking, of these kinds and due after a moment; their keys may be used again."""
    await session.execute(
        update(Outbox)
        .where(Outbox.booking_id == booking_id, Outbox.kind.in_(kinds), Outbox.due_at > after, _unfinished(Outbox))
        .values(state="dropped", key=Outbox.key + ":dropped:" + cast(Outbox.id, Text))
    )


async def drop_old(session: AsyncSession, *, now: datetime) -> None:
    """Drop what nobody wants any more: where its channel is off, nobody claims it, and it would wait for ever."""
    unwanted = or_(Outbox.until.is_(None), Outbox.until < now)
    await session.execute(
        update(Outbox)
        .where(_unfinished(Outbox), Outbox.state == "due", Outbox.due_at < now - PATIENCE, unwanted)
        .values(state="dropped")
    )


async def put_off(session: AsyncSession, kind: str, channel: str, address: str, *, due_at: datetime) -> None:
    """Let what waits of a kind for a chat wait until then."""
    await session.execute(_waiting(kind, channel, address).values(due_at=due_at, not_before=due_at))


async def call_off(session: AsyncSession, kind: str, channel: str, address: str) -> None:
    """Drop what waits of a kind for a chat."""
    await session.execute(_waiting(kind, channel, address).values(state="dropped"))


def retry_at(attempts: int, now: datetime, *, jitter: float, after: timedelta | None = None) -> datetime:
    """When to try again after so many attempts: doubling from 2 s to 5 min, up to half as much again by jitter (0 to 1).

    Not before `after` has passed, which is what the vendor asked for.
    """
    doublings = min(attempts, 16) - 1
    backoff = min(LONGEST_WAIT, FIRST_WAIT * (1 << doublings)) * (1 + jitter / 2)
    return now + max(backoff, after or timedelta())


def _wanted_until(row: Outbox) -> datetime:
    return row.until or row.due_at + PATIENCE


def _as_claimed(rows: Collection[Outbox]) -> ColumnElement[bool]:
    """These, as long as nobody else has claimed them since."""
    claims = tuple_(Outbox.id, Outbox.attempts).in_([(row.id, row.attempts) for row in rows])
    return and_(claims, Outbox.state == "sending")


def _waiting(kind: str, channel: str, address: str) -> Update:
    # Both conditions: the first is the index's, the second leaves alone what is being sent.
    return update(Outbox).where(
        Outbox.channel == channel,
        Outbox.address == address,
        Outbox.kind == kind,
        _unfinished(Outbox),
        Outbox.state == "due",
    )


async def _record(session: AsyncSession, row: Outbox, **values: Any) -> None:
    await session.execute(_RECORD, {"of": row.id, "as_claimed": row.attempts} | values)


def _unfinished(row: type[Outbox]) -> ColumnElement[bool]:
    # Written out, not bound: a partial index is only used where its condition can be read in the query.
    return row.state.in_([literal_column("'due'"), literal_column("'sending'")])


def _an_earlier_one_waits() -> ColumnElement[bool]:
    earlier = aliased(Outbox)
    return exists().where(
        _unfinished(earlier),
        earlier.channel == Outbox.channel,
        earlier.address == Outbox.address,
        tuple_(earlier.due_at, earlier.id) < tuple_(Outbox.due_at, Outbox.id),
    )


def _claim_statement() -> Executable:
    now = bindparam("now", type_=Moment())
    chosen = (
        select(Outbox.id)
        .where(
            _unfinished(Outbox),
            Outbox.due_at <= now,
            Outbox.not_before <= now,
            Outbox.channel.in_(bindparam("channels", expanding=True)),
            Outbox.id.not_in(bindparam("in_hand", expanding=True)),
            ~_an_earlier_one_waits(),
        )
        .order_by(Outbox.due_at, Outbox.id)
        .limit(bindparam("most", type_=Integer()))
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    return (
        update(Outbox)
        .where(Outbox.id.in_(select(chosen.c.id)))
        .values(
            state="sending",
            not_before=bindparam("leased_until", type_=Moment()),
            attempts=Outbox.attempts + 1,
            # Whoever had claimed it before never said what became of it.
            unclear=Outbox.unclear + case((and_(Outbox.state == "sending", Outbox.shown), 1), else_=0),
            shown=False,
        )
        .returning(Outbox)
        .execution_options(synchronize_session=False)
    )


def _reply_statement() -> Executable:
    now = bindparam("now", type_=Moment())
    first = ~exists().where(
        _unfinished(Outbox),
        Outbox.channel == bindparam("channel"),
        Outbox.address == bindparam("address"),
        Outbox.due_at <= now,
    )
    told = ("key", "channel", "address", "language", "body", "kind", "trace", "due_at", "created_at")
    return (
        insert(Outbox.metadata.tables[Outbox.__tablename__])
        .values(
            {name: bindparam(name) for name in told}
            | {
                "state": case((first, "sending"), else_="due"),
                "not_before": case((first, bindparam("leased_until", type_=Moment())), else_=now),
                "attempts": case((first, 1), else_=0),
                "shown": first,
            }
        )
        .returning(Outbox.id, Outbox.state, Outbox.attempts)
    )


# Built once: the loop runs them all the time, and building costs more than running.
_CLAIM = _claim_statement()
_REPLY = _reply_statement()
# The number of attempts is the claim's own: who lost the lease records nothing.
_RECORD = (
    update(Outbox)
    .where(Outbox.id == bindparam("of"), Outbox.state == "sending", Outbox.attempts == bindparam("as_claimed"))
    .execution_options(synchronize_session=False)
)
_SENT = (
    # Of the table: SQLAlchemy takes many values for the class as changes by primary key alone.
    update(Outbox.metadata.tables[Outbox.__tablename__])
    .where(Outbox.id == bindparam("of"), Outbox.state == "sending", Outbox.attempts == bindparam("as_claimed"))
    .values(state="sent", vendor_id=bindparam("by"), sent_at=bindparam("at"), error=None)
)
