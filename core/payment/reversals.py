"""Money that went back by Midtrans' status: reversed, refunded, voided or charged back.

Each movement is entered once and taken off the attempt's open refunds, so that nobody gets the same money twice. The
admins are told of movements that no refund asked for.
"""

from collections.abc import Sequence

from core.db.tables import LedgerEntry
from core.messaging.messages import say
from core.money import Money
from core.papers import credit_notes
from core.payment.confirmed_status import ConfirmedStatus
from core.payment.midtrans_status import Return
from core.payment.refunds import apply_return, open_refunds_of
from core.states import LedgerKind, Outcome, RequestState

_RECEIPTS = (LedgerKind.RECEIVED, LedgerKind.REVERSED)


async def reversed_by_bank(status: ConfirmedStatus) -> Outcome:
    """A denied attempt paid nothing, and its page stays open; a denial after its settlement takes the money back.

    Source of the latter: Midtrans' documentation of `deny`.
    """
    entries = await status.attempt_entries()
    amount = received(entries)
    if not amount:
        return Outcome.REVERSED_BEFORE if entries else Outcome.DENIED
    status.request.state = RequestState.FAILED
    number = sum(entry.kind is LedgerKind.REVERSED for entry in entries) + 1
    await status.enter(LedgerKind.REVERSED, reference(status.attempt.transaction_id, number), -amount)
    await _apply(status, amount, tell=False)
    await status.alert(f"reversed:{number}", say("staff.reversed", amount=amount))
    return Outcome.REVERSED


async def voided(status: ConfirmedStatus) -> Outcome:
    """A charged card whose payment was cancelled: all of its money goes back, asked for by a refund or not."""
    amount = balance(await status.attempt_entries())
    transaction_id = status.attempt.transaction_id
    refunds = await open_refunds_of(status.ctx.session, status.booking, transaction_id)
    key = next((each.key for each in refunds if each.amount == amount), f"{transaction_id}:void")
    await status.enter(LedgerKind.REFUNDED, key, -amount)
    if not await _apply(status, amount, key=key):
        await status.alert("voided", say("staff.refunded", amount=amount))
    await credit_notes.after_refund(status.ctx, status.booking)
    return Outcome.VOIDED


async def refunded(status: ConfirmedStatus) -> Outcome:
    new = await _new_returns(status)
    for each in new:
        await status.enter(LedgerKind.REFUNDED, each.reference, -each.amount)
        if not await _apply(status, each.amount, key=each.reference):
            await status.alert(f"refunded:{each.reference}", say("staff.refunded", amount=each.amount))
    await credit_notes.after_refund(status.ctx, status.booking)
    return Outcome.REFUNDED if new else Outcome.REFUNDED_BEFORE


async def charged_back(status: ConfirmedStatus) -> Outcome:
    """The cardholder's bank takes money back: the booking has less money, the admins must answer the bank."""
    new = await _new_returns(status)
    for each in new:
        await status.enter(LedgerKind.CHARGED_BACK, each.reference, -each.amount)
        await _apply(status, each.amount, tell=False)
        await status.alert(f"charged_back:{each.reference}", say("staff.charged_back", amount=each.amount))
    return Outcome.CHARGED_BACK if new else Outcome.CHARGED_BACK_BEFORE


def received(entries: Sequence[LedgerEntry]) -> Money:
    """What an attempt paid and no bank reversed, whether it was refunded later or not."""
    return sum(entry.amount for entry in entries if entry.kind in _RECEIPTS)


def balance(entries: Sequence[LedgerEntry]) -> Money:
    """What is left of an attempt's money."""
    return sum(entry.amount for entry in entries)


def reference(transaction_id: str, number: int) -> str:
    """The ledger reference of an attempt's receipt or reversal; a bank can do, undo and do it again."""
    return transaction_id if number == 1 else f"{transaction_id}:{number}"


async def _new_returns(status: ConfirmedStatus) -> list[Return]:
    """The reported returns that aren't entered yet (the answer for a chargeback lists earlier refunds too).

    A whole refund that lists nothing is all that is left.
    """
    attempt, entries = status.attempt, await status.attempt_entries()
    known = {entry.reference for entry in entries if entry.kind not in _RECEIPTS}
    if attempt.returned:
        named = [Return(each.reference or attempt.transaction_id, each.amount) for each in attempt.returned]
        return [each for each in named if each.reference not in known]
    if attempt.status.startswith("partial_"):
        await status.alert(attempt.status, say("staff.partly_gone", transaction=attempt.transaction_id))
        return []
    rest = balance(entries)
    return [Return(attempt.transaction_id, rest)] if rest > 0 else []


async def _apply(status: ConfirmedStatus, amount: Money, *, key: str | None = None, tell: bool = True) -> bool:
    return await apply_return(status.ctx, status.booking, status.attempt.transaction_id, amount, key=key, tell=tell)
