"""What is told about a payment: its link, money that came in, a link that ended."""

from core.context import Context
from core.db.tables import Booking, PaymentRequest
from core.messaging.messages import Document, Link, Message, Option, message, say
from core.money import Money
from core.notices import reminders
from core.notices.cards import alert, block, job_facts, method, money_left, see_you, staff_card
from core.notices.tell import tell
from core.states import BookingStatus, RequestState


async def pay_here(ctx: Context, booking: Booking, request: PaymentRequest, *, url: str, key: str) -> None:
    """The payment link is ready."""
    invites, afterwards = "notice.pay_here", "notice.pay_here_after"
    if booking.status is not BookingStatus.PENDING:
        invites, afterwards = "work.pay_rest", "work.pay_rest_after"
    invitation = say(
        invites,
        code=booking.code,
        name=booking.name,
        amount=request.amount,
        method=method(booking),
        until=ctx.shop.local(request.expires_at),
    )
    link = Link(url, say("notice.pay_button"))
    await tell(ctx, booking, key, chat=message(invitation, say(afterwards), link=link), until=request.expires_at)


async def link_late(ctx: Context, booking: Booking, request: PaymentRequest) -> None:
    """Midtrans doesn't answer: the customer is told once that the link will follow."""
    news = message(say("notice.link_late"))
    await tell(ctx, booking, f"link-late:{request.order_id}", chat=news, until=request.expires_at)


async def paid(
    ctx: Context, booking: Booking, order_id: str, *, amount: Money, fee: Money, first: bool, paper: Document | None
) -> None:
    """Money came in, without Midtrans' fee. `first`: it confirmed the booking; `paper`: its invoice or receipt."""
    facts = await job_facts(ctx, booking)
    says = [say("notice.money_received", amount=amount, name=booking.name)]
    if first:
        says += [say("notice.confirmed", code=booking.code), block(facts)]
    says.append(money_left(booking))
    if first:
        says.append(see_you(booking))
    await reminders.schedule(ctx, booking)
    news = Message(tuple(says), document=paper)
    charged = [say("staff.line.fee", fee=fee)] if fee else []
    card = staff_card(say("staff.paid", code=booking.code, amount=amount), booking, [*facts, *charged])
    subject = "notice.mail.confirmed" if first else "notice.mail.received"
    await tell(ctx, booking, f"paid:{order_id}", chat=news, mail=news, subject=subject, admins=card)


async def payment_ended(ctx: Context, booking: Booking, request: PaymentRequest) -> None:
    """A request failed or expired: the customer is told once, with a button for a new link, by mail without a chat."""
    if booking.status is not BookingStatus.PENDING:
        ended = "link_expired"
    elif booking.holding:
        ended = "payment_failed"
    else:
        ended = "payment_expired"
    facts = {"code": booking.code, "name": booking.name, "amount": request.amount}
    again = Option(f"pay:{booking.code}", say("notice.new_link"))
    page = Link("", say("notice.mail.pay_again"), booking=booking.code)
    await tell(
        ctx,
        booking,
        f"ended:{request.order_id}",
        chat=message(say(f"notice.{ended}", **facts), options=(again,)),
        mail=message(say(f"notice.mail.{ended}", **facts), link=page) if booking.contact_id is None else None,
        subject="notice.mail.unpaid",
        waited_for=request.state is RequestState.FAILED,  # they have just tried
    )


async def paid_after_cancel(ctx: Context, booking: Booking, order_id: str, *, amount: Money) -> None:
    """Money for a cancelled booking: it goes back."""
    news = message(say("notice.paid_after_cancel", amount=amount, code=booking.code))
    warning = alert(booking, say("staff.paid_after_cancel", amount=amount))
    await tell(ctx, booking, f"paid-after-cancel:{order_id}", chat=news, mail=news, admins=warning)


async def overpaid(ctx: Context, booking: Booking, *, over: Money, key: str) -> None:
    """More came in than was asked for: what is over goes back."""
    news = message(say("notice.overpaid", code=booking.code, over=over))
    await tell(ctx, booking, key, chat=news, mail=news, admins=alert(booking, say("staff.overpaid", over=over)))
