"""What is told about money that goes back: to the customer, who may have to say where to, and to the admins."""

from core.context import Context
from core.db.tables import Booking, Refund
from core.messaging.messages import Message, Option, Say, message, say
from core.money import Money
from core.notices.cards import alert
from core.notices.tell import tell
from core.states import Actor, RefundState


async def ask_account(ctx: Context, booking: Booking, refund: Refund) -> None:
    """Midtrans can't send it back: the customer is asked for a bank account, in the chat or else by mail."""
    what = {"code": booking.code, "name": booking.name, "amount": refund.amount}
    key = f"refund-account:{refund.key}:{ctx.now.isoformat()}"
    if booking.contact_id is not None:
        button = Option(f"refund:{refund.key}", say("option.refund_account"))
        await tell(ctx, booking, key, chat=message(say("refund.ask_account", **what), options=(button,)))
    else:
        await tell(ctx, booking, key, mail=message(say("refund.ask_account_by_mail", contact=ctx.shop.contact, **what)))


async def task(ctx: Context, booking: Booking, refund: Refund) -> None:
    """The admins have something to transfer; they hear again when the customer names an account, or another one."""
    key = f"refund-task:{refund.key}:{refund.bank_account or ''}"
    await tell(ctx, booking, key, admins=refund_card(booking, refund))


async def went_back(ctx: Context, booking: Booking, refund: Refund) -> None:
    """The money is on its way: the customer hears how much, and by which way."""
    way = "refund.transferred" if refund.done_by != Actor.MIDTRANS else "refund.sent_back"
    news = message(say(way, code=booking.code, amount=refund.amount, name=booking.name))
    await tell(ctx, booking, f"refund-done:{refund.key}", chat=news, mail=news)


async def refused(ctx: Context, booking: Booking, refund: Refund) -> None:
    """Midtrans doesn't send it back: the admins hear why it is theirs to transfer now."""
    what = say("staff.refund_refused", amount=refund.amount, reason=refund.error)
    await tell(ctx, booking, f"refund-refused:{refund.key}", admins=alert(booking, what))


async def no_transfer(ctx: Context, booking: Booking, refund: Refund) -> None:
    """Midtrans sent back after all what was staff's to transfer: they must not."""
    what = say("staff.refund_no_transfer", amount=refund.amount)
    await tell(ctx, booking, f"refund-no-transfer:{refund.key}", admins=alert(booking, what))


async def twice(ctx: Context, booking: Booking, refund: Refund, amount: Money) -> None:
    """Midtrans sent back what staff had transferred: the customer has it twice."""
    what = say("staff.refund_twice", amount=amount)
    await tell(ctx, booking, f"refund-twice:{refund.key}", admins=alert(booking, what))


def refund_card(booking: Booking, refund: Refund) -> Message:
    """A refund as the admins see it; one to be transferred has the buttons for that."""
    by_hand = refund.state is RefundState.BY_HAND
    return message(
        say(f"team.refund.{refund.state}", code=booking.code, amount=refund.amount),
        say(
            "team.refund.facts",
            name=booking.name,
            phone=booking.phone,
            reason=_reason(refund),
            account=refund_account(refund),
        ),
        options=_buttons(booking, refund) if by_hand else (),
    )


def _buttons(booking: Booking, refund: Refund) -> tuple[Option, ...]:
    ask = Option(f"ask-account:{refund.key}", say("team.option.ask_account"))
    return (
        Option(f"transferred:{refund.key}", say("team.option.transferred")),
        *([ask] if booking.contact_id is not None else []),
    )


def _reason(refund: Refund) -> Say:
    """Why it goes back, in words."""
    return say(f"refund.reason.{refund.reason}")


def refund_account(refund: Refund) -> Say | str:
    """Where to, in the customer's words, or that they haven't said yet."""
    return refund.bank_account or say("team.refund.no_account")
