"""Notices about refunds, to the customer and to the admins."""

from core.context import Context
from core.db.tables import Booking, Refund
from core.messaging.messages import Message, Option, Say, message, say
from core.notices.tell import tell
from core.states import Actor, RefundState


async def ask_account(ctx: Context, booking: Booking, refund: Refund) -> None:
    """Ask the customer for a bank account, in the chat or else by e-mail."""
    what = {"code": booking.code, "name": booking.name, "amount": refund.amount}
    key = f"refund-account:{refund.key}:{ctx.now.isoformat()}"
    if booking.contact_id is not None:
        button = Option(f"refund:{refund.key}", say("option.refund_account"))
        await tell(ctx, booking, key, chat=message(say("refund.ask_account", **what), options=(button,)))
    else:
        await tell(ctx, booking, key, mail=message(say("refund.ask_account_by_mail", contact=ctx.shop.contact, **what)))


async def task(ctx: Context, booking: Booking, refund: Refund) -> None:
    """Send the admins the task to transfer it, again whenever the bank account changes."""
    key = f"refund-task:{refund.key}:{refund.bank_account or ''}"
    await tell(ctx, booking, key, admins=refund_card(booking, refund))


async def went_back(ctx: Context, booking: Booking, refund: Refund) -> None:
    """Tell the customer that it was transferred, or sent back by Midtrans."""
    way = "refund.transferred" if refund.done_by != Actor.MIDTRANS else "refund.sent_back"
    news = message(say(way, code=booking.code, amount=refund.amount, name=booking.name))
    await tell(ctx, booking, f"refund-done:{refund.key}", chat=news, mail=news, waited_for=False)


def refund_card(booking: Booking, refund: Refund) -> Message:
    """A refund for the admins, with buttons if they are to transfer it."""
    buttons = []
    if refund.state is RefundState.BY_HAND:
        buttons.append(Option(f"transferred:{refund.key}", say("team.option.transferred")))
        if booking.contact_id is not None:
            buttons.append(Option(f"ask-account:{refund.key}", say("team.option.ask_account")))
    return message(
        say(f"team.refund.{refund.state}", code=booking.code, amount=refund.amount),
        say(
            "team.refund.facts",
            name=booking.name,
            phone=booking.phone or "-",
            reason=say(f"refund.reason.{refund.reason}"),
            account=refund_account(refund),
        ),
        options=buttons,
    )


def refund_account(refund: Refund) -> Say | str:
    """The bank account in the customer's words, or that there is none yet."""
    return refund.bank_account or say("team.refund.no_account")
