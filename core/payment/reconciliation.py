"""The ledger compared with Midtrans: what is left of each attempt's money by one and by the other.

Refunds that staff transferred by hand are left out, since Midtrans doesn't know them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select, text, union
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import LedgerEntry, PaymentAttempt, PaymentRequest, Refund, UnknownOrder
from core.messaging.messages import Say, say
from core.money import Money
from core.payment import midtrans_status, unknown_orders
from core.payment.midtrans_status import Attempt, Meaning
from core.payment.totals import OPEN_STATES
from core.states import RefundState, RequestState

MAX_SHOWN = 20
"""How many differences, and how many unknown orders, the admins are shown."""
_BY_HAND = "transfer"
_OPEN_REFUND = text("refund.state <> 'done'")
_WATCHED = text("payment_request.due_at IS NOT NULL")
"""Written out, not bound: a partial index is only used where its condition can be read in the query."""


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order as our database has it."""

    order_id: str
    amount: Money
    """What was asked for."""
    state: RequestState
    left: Mapping[str, Money]
    """What is left of each attempt's money by the ledger, by transaction_id."""
    statuses: Mapping[str, str]
    """Each attempt's last confirmed status."""

    def other_attempts(self, newest: str | None) -> list[str]:
        """The attempts to ask about besides the newest: those with money, and those that can still be paid."""
        waiting = (
            name for name, status in self.statuses.items() if midtrans_status.meaning(status, "") is Meaning.WAITING
        )
        return sorted({*self.left, *waiting} - {newest})


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference about one attempt of an order."""

    order_id: str
    transaction_id: str
    state: str
    """The request's, as we have it."""
    ours: Money
    theirs: Money | None
    """None: Midtrans doesn't know the attempt, or refuses to tell."""
    status: str
    """Midtrans' status, or the text of its refusal."""
    mended: bool = False
    """Settling the order removed the difference."""


@dataclass(frozen=True, slots=True)
class Findings:
    asked: int = 0
    """Orders compared."""
    mended: int = 0
    left: int = 0
    """Differences left to a person."""
    shown: tuple[Difference, ...] = ()

    @classmethod
    def of(cls, differences: Sequence[Difference], *, asked: int = 1) -> "Findings":
        mended = sum(each.mended for each in differences)
        return cls(asked, mended, len(differences) - mended, tuple(differences))

    def __add__(self, other: "Findings") -> "Findings":
        """Differences left to a person are shown first."""
        shown = sorted((*self.shown, *other.shown), key=lambda each: each.mended)[:MAX_SHOWN]
        return Findings(self.asked + other.asked, self.mended + other.mended, self.left + other.left, tuple(shown))


def compare(ours: OrderRecord, theirs: Iterable[Attempt]) -> list[Difference]:
    """The differences of an order; answers without an amount (some partial refunds) are skipped."""
    asked = [midtrans_status.for_request(attempt, ours.amount) for attempt in theirs]
    told = {attempt.transaction_id: attempt for attempt in asked if attempt.order_id == ours.order_id}
    found = [
        _difference(ours, attempt.transaction_id, there, attempt.status)
        for attempt in told.values()
        if (there := left(attempt)) is not None and there != ours.left.get(attempt.transaction_id, 0)
    ]
    unknown = [name for name, money in ours.left.items() if money and name not in told]
    found += [_difference(ours, name, None, "404") for name in unknown]
    if not found and ours.state in OPEN_STATES and (last := _ended(told.values())):
        found.append(_difference(ours, last.transaction_id, 0, last.status))
    return found


def left(attempt: Attempt) -> Money | None:
    """What must be left of an attempt's money by Midtrans' status; None where it doesn't say."""
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


def refused(ours: OrderRecord, refusal: str) -> Difference:
    """The difference of an order whose status Midtrans refuses to tell."""
    return Difference(ours.order_id, "", ours.state.value, sum(ours.left.values()), None, refusal)


def has_news(ours: OrderRecord, theirs: Iterable[Attempt]) -> bool:
    """Whether an answer has a status to store, though no difference in money."""
    return any(ours.statuses.get(attempt.transaction_id) != attempt.status for attempt in theirs)


def marked(before: Sequence[Difference], again: Sequence[Difference], after: Sequence[Difference]) -> list[Difference]:
    """The differences found, each marked as mended or not.

    `before` the answer came; `again` just before it was settled, so that what a notification has settled in between
    doesn't count; and `after` that.
    """
    first, still = {each.transaction_id for each in before}, {each.transaction_id for each in after}
    found = [each for each in again if each.transaction_id in first]
    return [replace(each, mended=each.transaction_id not in still) for each in found]


def report(findings: Findings, unknown: Sequence[UnknownOrder]) -> list[Say]:
    """A headline, and a line for each difference to show and each unexplained order; empty where there is none."""
    if not (findings.mended or findings.left or unknown):
        return []
    left = findings.left + len(unknown)
    head = say("reconcile.head", asked=findings.asked, mended=findings.mended, left=left)
    return [head, *_lines(findings), *map(unknown_orders.line, unknown[:MAX_SHOWN])]


def _lines(findings: Findings) -> list[Say]:
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


async def page(session: AsyncSession, *, since: datetime, after: str, limit: int) -> list[OrderRecord]:
    """The next orders to compare, after an order_id ("" begins).

    These have a request, an attempt or an entry made since then, an open request, or a refund that Midtrans has to send.
    """
    refunds = (_OPEN_REFUND, Refund.state == RefundState.WANTED)
    wanted = union(
        select(PaymentRequest.order_id).where(PaymentRequest.created_at >= since),
        select(PaymentRequest.order_id).where(_WATCHED),
        select(PaymentAttempt.order_id).where(PaymentAttempt.first_seen_at >= since),
        select(LedgerEntry.order_id).where(LedgerEntry.at >= since),
        select(Refund.order_id).where(*refunds),
    ).subquery()
    # An expression, so that the planner doesn't walk the index on order_id, which has all of history.
    order_id = wanted.c.order_id.concat("")
    found = select(wanted.c.order_id).where(order_id > after).order_by(wanted.c.order_id)
    return await load(session, (await session.scalars(found.limit(limit))).all())


async def load(session: AsyncSession, order_ids: Collection[str]) -> list[OrderRecord]:
    """These orders, in the order of their ids."""
    requests = await session.execute(
        select(PaymentRequest.order_id, PaymentRequest.amount, PaymentRequest.state)
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
    return [
        OrderRecord(order_id, amount, state, money[order_id], statuses[order_id])
        for order_id, amount, state in requests
    ]


def _ended(answers: Collection[Attempt]) -> Attempt | None:
    """An ended attempt of an order that none can pay any more."""
    if any(attempt.meaning not in midtrans_status.OVER for attempt in answers):
        return None
    return next((attempt for attempt in answers if attempt.meaning is Meaning.ENDED), None)


def _difference(ours: OrderRecord, transaction_id: str, theirs: Money | None, status: str) -> Difference:
    return Difference(ours.order_id, transaction_id, ours.state.value, ours.left.get(transaction_id, 0), theirs, status)
