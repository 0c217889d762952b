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


async def paid(ctx: Context, booking: Booking, request: PaymentRequest, *, first: bool, paper: Document | None) -> None:
    """Money came in. `first`: it confirmed the booking; `paper`: the invoice or receipt that goes with it."""
    facts = await job_facts(ctx, booking)
    says = [say("notice.money_received", amount=request.amount, name=booking.name)]
    if first:
        says += [say("notice.confirmed", code=booking.code), block(facts)]
    says.append(money_left(booking))
    if first:
        says.append(see_you(booking))
    await reminders.schedule(ctx, booking)
    news = Message(tuple(says), document=paper)
    card = staff_card(say("staff.paid", code=booking.code, amount=request.amount), booking, facts)
    subject = "notice.mail.confirmed" if first else "notice.mail.received"
    await tell(ctx, booking, f"paid:{request.order_id}", chat=news, mail=news, subject=subject, admins=card)


async def payment_ended(ctx: Context, booking: Booking, request: PaymentRequest) -> None:
    """A request failed or expired: the customer is told once, with a button for a new link."""
    if booking.status is not BookingStatus.PENDING:
        ended = say("notice.link_expired", code=booking.code, amount=request.amount)
    elif booking.holding:
        ended = say("notice.payment_failed", code=booking.code)
    else:
        ended = say("notice.payment_expired", code=booking.code)
    again = Option(f"pay:{booking.code}", say("notice.new_link"))
    has_just_tried = request.state is RequestState.FAILED
    news = message(ended, options=(again,))
    await tell(ctx, booking, f"ended:{request.order_id}", chat=news, waited_for=has_just_tried)


async def paid_after_cancel(ctx: Context, booking: Booking, request: PaymentRequest) -> None:
    """Money for a cancelled booking: it goes back."""
    news = message(say("notice.paid_after_cancel", amount=request.amount, code=booking.code))
    warning = alert(booking, say("staff.paid_after_cancel", amount=request.amount))
    await tell(ctx, booking, f"paid-after-cancel:{request.order_id}", chat=news, mail=news, admins=warning)


async def overpaid(ctx: Context, booking: Booking, *, over: Money, key: str) -> None:
    """More came in than was asked for: what is over goes back."""
    news = message(say("notice.overpaid", code=booking.code, over=over))
    await tell(ctx, booking, key, chat=news, mail=news, admins=alert(booking, say("staff.overpaid", over=over)))
