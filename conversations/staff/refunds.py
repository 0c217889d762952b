"""Refunds that are not done: what is owed, to which account, and recording a transfer."""

from conversations.registry import action
from conversations.staff.jobs import TO_STAFF_MENU
from conversations.turn import Question, Turn, Who, question
from core import payment
from core.messaging.messages import Option, Say, say
from core.refusals import AlreadySentBack
from core.states import RefundState

MAX_LISTED = 50


@action("refunds", who=Who.ADMIN)
async def refunds(turn: Turn, _: str = "") -> Question:
    found = await payment.open_refunds(turn.session, limit=MAX_LISTED)
    if not found:
        return question(say("team.refunds_none"), always=[TO_STAFF_MENU])
    return question(
        say("team.refunds", count=len(found)),
        options=[
            Option(
                f"owed:{refund.key}",
                say("team.refund_entry", code=booking.code, amount=refund.amount),
                say(f"team.refund_hint.{refund.state}"),
            )
            for refund, booking in found
        ],
        always=[TO_STAFF_MENU],
    )


@action("owed", who=Who.ADMIN)
async def owed(turn: Turn, key: str, *first: Say) -> Question:
    refund, booking = await payment.load_refund(turn.session, key)
    card = payment.refund_card(booking, refund)
    more = Option("refunds", say("team.option.refunds"))
    return question(*first, *card.says, options=card.options, always=[more, TO_STAFF_MENU])


@action("ask-account", who=Who.ADMIN)
async def ask_account(turn: Turn, key: str) -> Question:
    """Ask the customer for a bank account once more; raises `NotFound`, `AlreadySentBack`."""
    await payment.ask_refund_account(turn.ctx, key)
    return await owed(turn, key, say("team.refund_asked"))


@action("transferred", who=Who.ADMIN)
async def transferred(turn: Turn, key: str) -> Question:
    """Confirm that it was transferred, since a ledger entry can't be undone; raises `NotFound`, `AlreadySentBack`."""
    refund, booking = await payment.load_refund(turn.session, key)
    if refund.state is not RefundState.BY_HAND:
        raise AlreadySentBack
    account = payment.refund_account(refund)
    return question(
        say("team.refund_sure", code=booking.code, amount=refund.amount, account=account),
        options=[
            Option(f"yes-transferred:{key}", say("team.option.yes_transferred")),
            Option(f"owed:{key}", say("option.no")),
        ],
    )


@action("yes-transferred", who=Who.ADMIN)
async def yes_transferred(turn: Turn, key: str) -> Question:
    await payment.record_transfer(turn.ctx, key, by=turn.staff.name)
    return await owed(turn, key, say("team.refund_recorded"))
