"""Money that Midtrans says went back: reversed by the bank, refunded, voided or charged back.

Each is taken off the attempt that had brought it, once; what is owed of that attempt falls by as much,
so that nobody gets the same money twice. Staff hears of what wasn't asked for here.
"""

from core.db.tables import LedgerEntry
from core.messaging.messages import say
from core.money import Money
from core.papers import credit_notes
from core.payment import refunds
from core.payment.case import Case
from core.payment.midtrans_status import Return
from core.states import LedgerKind, Outcome, RequestState

_SETTLED = (LedgerKind.RECEIVED, LedgerKind.REVERSED)


async def reversed_by_bank(case: Case) -> Outcome:
    """A denial: nothing came in, and the page stays open; or what had come in goes back again (facts: documented)."""
    mine = await of_attempt(case)
    there = settled(mine)
    if not there:
        return Outcome.REVERSED_BEFORE if mine else Outcome.DENIED
    case.request.state = RequestState.FAILED
    number = sum(entry.kind is LedgerKind.REVERSED for entry in mine) + 1
    await case.enter(LedgerKind.REVERSED, numbered(case.attempt.transaction_id, number), -there)
    await _cover(case, there, tell=False)
    await case.alert(f"reversed:{number}", say("staff.reversed", amount=there))
    return Outcome.REVERSED


async def voided(case: Case) -> Outcome:
    """A cancelled attempt whose card had been charged: all of that money goes back, for a refund of ours or not."""
    there = left(await of_attempt(case))
    ours = await refunds.asked_for(case.ctx.session, case.booking, case.attempt.transaction_id, there)
    reference = ours.key if ours else f"{case.attempt.transaction_id}:void"
    await case.enter(LedgerKind.REFUNDED, reference, -there)
    if not await _cover(case, there, key=reference):
        await case.alert("voided", say("staff.refunded", amount=there))
    await credit_notes.after_refund(case.ctx, case.booking)
    return Outcome.VOIDED


async def refunded(case: Case) -> Outcome:
    """Refunds, each once by its key; a whole one that names nothing is all that is left."""
    new = await _new_returns(case)
    for each in new:
        await case.enter(LedgerKind.REFUNDED, each.reference, -each.amount)
        if not await _cover(case, each.amount, key=each.reference):
            await case.alert(f"refunded:{each.reference}", say("staff.refunded", amount=each.amount))
    await credit_notes.after_refund(case.ctx, case.booking)
    return Outcome.REFUNDED if new else Outcome.REFUNDED_BEFORE


async def charged_back(case: Case) -> Outcome:
    """The cardholder's bank takes money back: the admins must answer it, and the booking has that much less."""
    new = await _new_returns(case)
    for each in new:
        await case.enter(LedgerKind.CHARGED_BACK, each.reference, -each.amount)
        await _cover(case, each.amount, tell=False)
        await case.alert(f"charged_back:{each.reference}", say("staff.charged_back", amount=each.amount))
    return Outcome.CHARGED_BACK if new else Outcome.CHARGED_BACK_BEFORE


async def of_attempt(case: Case) -> list[LedgerEntry]:
    """What the ledger holds of the case's attempt."""
    return [entry for entry in await case.entries() if entry.transaction_id == case.attempt.transaction_id]


def settled(entries: list[LedgerEntry]) -> Money:
    """What came in by an attempt and wasn't reversed, whatever was sent back of it later."""
    return sum(entry.amount for entry in entries if entry.kind in _SETTLED)


def left(entries: list[LedgerEntry]) -> Money:
    """What is there of an attempt's money."""
    return sum(entry.amount for entry in entries)


def numbered(transaction_id: str, number: int) -> str:
    """The reference of an attempt's receipt or reversal; a bank that changes its mind makes a second one."""
    return transaction_id if number == 1 else f"{transaction_id}:{number}"


async def _new_returns(case: Case) -> list[Return]:
    """The returns told that aren't entered yet (a chargeback's answer lists the refunds before it, too)."""
    mine = await of_attempt(case)
    known = {entry.reference for entry in mine if entry.kind not in _SETTLED}
    told = case.attempt.returned
    if told:
        named = [Return(each.reference or case.attempt.transaction_id, each.amount) for each in told]
        return [each for each in named if each.reference not in known]
    if case.attempt.status.startswith("partial_"):
        await case.alert(case.attempt.status, say("staff.partly_gone", transaction=case.attempt.transaction_id))
        return []
    rest = left(mine)
    return [Return(case.attempt.transaction_id, rest)] if rest > 0 else []


async def _cover(case: Case, amount: Money, *, key: str | None = None, tell: bool = True) -> bool:
    transaction_id = case.attempt.transaction_id
    return await refunds.covered(case.ctx, case.booking, transaction_id, amount, key=key, tell=tell)
