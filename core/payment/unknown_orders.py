"""Money at Midtrans for an order that we have no request for, such as one that a restored backup lacks.

notification ── status call ──> record: kept, the admins told once ──> listed until `explain`
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.database import insert_once
from core.db.tables import PaymentNotification, PaymentRequest, UnknownOrder
from core.messaging.messages import Option, Say, message, say
from core.notices.tell import tell_admins
from core.payment import midtrans_status
from core.payment.midtrans_status import MONEY_MOVED, Attempt
from core.refusals import NotFound
from core.states import Outcome

_UNCONFIRMED = "404"
"""The status of a transaction that Midtrans reports, but doesn't know when asked."""


async def record(ctx: Context, order_id: str, answer: Mapping[str, object] | None) -> Outcome:
    """Record the status of an unknown order if money moved by it, and tell the admins once.

    Where Midtrans knows no transaction (None), its notification stands for the answer, and is asked about again.
    """
    told = answer or await _notified(ctx.session, order_id)
    if told is None:
        return Outcome.NO_ATTEMPT
    attempt = midtrans_status.read_status(told)
    if attempt.order_id != order_id:
        return Outcome.OTHER_ORDER
    if attempt.meaning not in MONEY_MOVED:
        return Outcome.IGNORED
    await _store(ctx, attempt, attempt.status if answer else _UNCONFIRMED)
    settle = Option(f"settle-unknown:{order_id}", say("team.option.settle_unknown"))
    news = message(say("staff.unknown_order", **_facts(attempt)), options=(settle,))
    await tell_admins(ctx, f"unknown-order:{order_id}", news)
    return Outcome.UNKNOWN_ORDER if answer else Outcome.NO_ATTEMPT


async def unexplained(session: AsyncSession) -> Sequence[UnknownOrder]:
    """The unknown orders of which nobody has said what they were, the oldest first."""
    known = select(PaymentRequest.order_id).where(PaymentRequest.order_id == UnknownOrder.order_id)
    open_orders = select(UnknownOrder).where(UnknownOrder.explanation.is_(None), ~known.exists())
    return (await session.scalars(open_orders.order_by(UnknownOrder.found_at, UnknownOrder.order_id))).all()


async def explain(ctx: Context, order_id: str, explanation: str) -> None:
    """Note what an unknown order was; it is listed no longer. Raises `NotFound`."""
    noted = await ctx.session.execute(
        update(UnknownOrder)
        .where(UnknownOrder.order_id == order_id)
        .values(explanation=explanation, explained_at=ctx.now)
        .returning(UnknownOrder.order_id)
    )
    if noted.first() is None:
        raise NotFound(code=order_id)


def line(order: UnknownOrder) -> Say:
    """An unknown order as the reconciliation shows it."""
    return say("reconcile.unknown_order", order_id=order.order_id, amount=_amount(order.amount), status=order.status)


async def _store(ctx: Context, attempt: Attempt, status: str) -> None:
    values = {
        "transaction_id": attempt.transaction_id,
        "status": status,
        "amount": attempt.amount,
        "answer": dict(attempt.evidence),
    }
    if await insert_once(ctx.session, UnknownOrder, order_id=attempt.order_id, found_at=ctx.now, **values):
        return
    if status != _UNCONFIRMED:
        same = update(UnknownOrder).where(UnknownOrder.order_id == attempt.order_id)
        await ctx.session.execute(same.values(**values))


async def _notified(session: AsyncSession, order_id: str) -> Mapping[str, object] | None:
    """The newest open notification of an order."""
    is_open = (PaymentNotification.order_id == order_id, PaymentNotification.due_at.is_not(None))
    newest = select(PaymentNotification.body).where(*is_open).order_by(PaymentNotification.id.desc()).limit(1)
    return await session.scalar(newest)


def _facts(attempt: Attempt) -> dict[str, object]:
    return {"order_id": attempt.order_id, "amount": _amount(attempt.amount), "status": attempt.status}


def _amount(amount: int | None) -> Say:
    return say("reconcile.unknown") if amount is None else say("reconcile.amount", amount=amount)
