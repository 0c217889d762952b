"""Our books beside Midtrans': what each says of an order, and where they differ.

    page ──> Ours, a page of orders at a time ┐
    status answers ──> Attempt ───────────────┴─ compare ──> Differences: mended by settling them, or for a person

Compared is what must be there of each attempt's money. A refund that staff transferred by hand is none
that Midtrans could know of.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Select, select, text, union
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import LedgerEntry, PaymentAttempt, PaymentRequest, Refund
from core.messaging.messages import Say, say
from core.money import Money
from core.payment import midtrans_status
from core.payment.midtrans_status import Attempt, Meaning
from core.payment.totals import OPEN_STATES
from core.states import RefundState, RequestState

MOST_SHOWN = 20
"""How many differences are told one by one."""
_BY_HAND = "transfer"
_OPEN_REFUND = text("refund.state <> 'done'")
_WATCHED = text("payment_request.due_at IS NOT NULL")
"""Written out, not bound: a partial index is only used where its condition can be read in the query."""


@dataclass(frozen=True, slots=True)
class Ours:
    """What we have of an order."""

    order_id: str
    state: RequestState
    left: Mapping[str, Money]
    """What is there of the money of each attempt that the ledger knows, by its transaction_id."""
    statuses: Mapping[str, str]
    """Midtrans' last confirmed word for each attempt."""

    def references(self, newest: str | None) -> list[str]:
        """The attempts to ask about one by one, beside the newest: those with money, and those that may still pay."""
        waiting = (
            name for name, status in self.statuses.items() if midtrans_status.meaning(status, "") is Meaning.WAITING
        )
        return sorted({*self.left, *waiting} - {newest})


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the books differ about one attempt of an order."""

    order_id: str
    transaction_id: str
    state: str
    """The request's, as we have it."""
    ours: Money
    theirs: Money | None
    """None: Midtrans knows nothing of it."""
    status: str
    """Midtrans' word for it, or its refusal to say one."""
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """What a comparison has come to so far."""

    asked: int = 0
    mended: int = 0
    left: int = 0
    """Differences that only a person can mend."""
    shown: tuple[Difference, ...] = ()

    @classmethod
    def of(cls, differences: Sequence[Difference], *, asked: int = 1) -> "Findings":
        """What was found of so many orders."""
        mended = sum(each.mended for each in differences)
        return cls(asked, mended, len(differences) - mended, tuple(differences))

    def __add__(self, other: "Findings") -> "Findings":
        """Both; what is left for a person is shown before what was mended."""
        shown = sorted((*self.shown, *other.shown), key=lambda each: each.mended)[:MOST_SHOWN]
        return Findings(self.asked + other.asked, self.mended + other.mended, self.left + other.left, tuple(shown))


def compare(ours: Ours, theirs: Iterable[Attempt]) -> list[Difference]:
    """Where the books differ; what can't be read off an answer (a partial refund without its amount) is passed over."""
    told = {attempt.transaction_id: attempt for attempt in theirs if attempt.order_id == ours.order_id}
    found = [
        _difference(ours, attempt.transaction_id, there, attempt.status)
        for attempt in told.values()
        if (there := left(attempt)) is not None and there != ours.left.get(attempt.transaction_id, 0)
    ]
    unknown = [name for name, money in ours.left.items() if money and name not in told]
    found += [_difference(ours, name, None, "404") for name in unknown]
    if not found and ours.state in OPEN_STATES and (last := _over(told.values())):
        found.append(_difference(ours, last.transaction_id, 0, last.status))
    return found


def left(attempt: Attempt) -> Money | None:
    """What must be there of an attempt's money by Midtrans' word, in rupiah; None where that can't be told."""
    match attempt.meaning:
        case Meaning.RECEIVED | Meaning.REFUNDED | Meaning.CHARGED_BACK if attempt.currency != "IDR":
            return None
        case Meaning.RECEIVED:
            return attempt.amount
        case Meaning.REFUNDED | Meaning.CHARGED_BACK if attempt.returned and attempt.amount is not None:
            return attempt.amount - sum(each.amount for each in attempt.returned)
        case Meaning.REFUNDED | Meaning.CHARGED_BACK:
            return None if attempt.status.startswith("partial_") else 0
        case Meaning.UNKNOWN:
            return None
        case _:
            return 0


def unread(ours: Ours, refusal: str) -> Difference:
    """An order of which Midtrans refuses to say anything."""
    return Difference(ours.order_id, "", ours.state.value, sum(ours.left.values()), None, refusal)


def is_news(ours: Ours, theirs: Iterable[Attempt]) -> bool:
    """Whether an answer tells anything that must be kept, be it no difference."""
    return any(ours.statuses.get(attempt.transaction_id) != attempt.status for attempt in theirs)


def judged(before: Sequence[Difference], again: Sequence[Difference], after: Sequence[Difference]) -> list[Difference]:
    """The differences found, each mended or not.

    `before` the answer came, `again` just before it was settled (what the usual way has mended meanwhile
    isn't counted), and `after` that.
    """
    first, still = {each.transaction_id for each in before}, {each.transaction_id for each in after}
    found = [each for each in again if each.transaction_id in first]
    return [replace(each, mended=each.transaction_id not in still) for each in found]


def lines(findings: Findings) -> list[Say]:
    """What was found, a line each."""
    return [
        say(
            "reconcile.mended" if each.mended else "reconcile.left",
            order_id=each.order_id,
            ours=each.ours,
            state=each.state,
            theirs=say("reconcile.unknown") if each.theirs is None else say("reconcile.amount", amount=each.theirs),
            status=each.status,
        )
        for each in findings.shown
    ]


async def page(session: AsyncSession, *, since: datetime, after: str, limit: int) -> list[Ours]:
    """The next orders to compare, after an order_id ("" begins): of requests made, tried to pay or moved money since
    then, of requests still looked at, and of refunds that Midtrans still owes.
    """
    return await load(session, (await session.scalars(_orders(since, after).limit(limit))).all())


async def load(session: AsyncSession, order_ids: Collection[str]) -> list[Ours]:
    """What we have of these orders, by order_id."""
    requests = await session.execute(
        select(PaymentRequest.order_id, PaymentRequest.state)
        .where(PaymentRequest.order_id.in_(order_ids))
        .order_by(PaymentRequest.order_id)
    )
    entries = await session.execute(
        select(LedgerEntry.order_id, LedgerEntry.transaction_id, LedgerEntry.amount).where(
            LedgerEntry.order_id.in_(order_ids), LedgerEntry.method != _BY_HAND
        )
    )
    known = await session.execute(
        select(PaymentAttempt.order_id, PaymentAttempt.transaction_id, PaymentAttempt.status).where(
            PaymentAttempt.order_id.in_(order_ids)
        )
    )
    money: dict[str, dict[str, Money]] = defaultdict(lambda: defaultdict(int))
    for order_id, transaction_id, amount in entries:
        money[order_id or ""][transaction_id or ""] += amount
    statuses: dict[str, dict[str, str]] = defaultdict(dict)
    for order_id, transaction_id, status in known:
        statuses[order_id][transaction_id] = status
    return [Ours(order_id, state, money[order_id], statuses[order_id]) for order_id, state in requests]


def _orders(since: datetime, after: str) -> Select[str]:
    refunds = (_OPEN_REFUND, Refund.state == RefundState.WANTED)
    wanted = union(
        select(PaymentRequest.order_id).where(PaymentRequest.created_at >= since),
        select(PaymentRequest.order_id).where(_WATCHED),
        select(PaymentAttempt.order_id).where(PaymentAttempt.first_seen_at >= since),
        select(LedgerEntry.order_id).where(LedgerEntry.at >= since),
        select(Refund.order_id).where(*refunds),
    ).subquery()
    # Put together, so that nobody looks for it by the order_id, which all of history has.
    order_id = wanted.c.order_id.concat("")
    return select(wanted.c.order_id).where(order_id > after).order_by(wanted.c.order_id)


def _over(told: Collection[Attempt]) -> Attempt | None:
    """The attempt with which an order is over: one has ended, and none may still pay."""
    if any(attempt.meaning not in (Meaning.ENDED, Meaning.DENIED) for attempt in told):
        return None
    return next((attempt for attempt in told if attempt.meaning is Meaning.ENDED), None)


def _difference(ours: Ours, transaction_id: str, theirs: Money | None, status: str) -> Difference:
    return Difference(ours.order_id, transaction_id, ours.state.value, ours.left.get(transaction_id, 0), theirs, status)
