"""Notices about the work on the car; the other notices are in `core.notices`.

the customer      technician, on the way, work begun, notes with photos, costs, cash, warranty card,
                  a day later: how was it?  (by mail where no chat is known)
the technician    a new job, a job that was reassigned, what the customer says to a cost
the admins        cash, cost decisions, completed jobs
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from core import media
from core.context import Context
from core.db.tables import AdditionalCost, Booking, Technician, WorkNote
from core.messaging.messages import Document, Link, Message, Option, Say, message, say
from core.money import Money
from core.notices import reminders
from core.notices.cards import block, job_facts, money_left, staff_card
from core.notices.tell import alert_admins, tell
from core.papers import receipts
from core.states import CostState

RATING_AFTER = timedelta(days=1)
RATING_WANTED = timedelta(days=3)
"""The request for a rating is not sent later than this after it is due."""


async def assigned(ctx: Context, booking: Booking, *, first: bool) -> None:
    """A technician has the job; `first`: that confirmed the booking, so the reminders are set too."""
    facts = await job_facts(ctx, booking)
    says = [say("notice.confirmed", code=booking.code)] if first else []
    says.append(await _by_technician(ctx.session, booking, "work.assigned"))
    if first:
        says += [block(facts), money_left(booking)]
        await reminders.schedule(ctx, booking)
    key = f"assigned:{booking.code}:{booking.technician_id}:{ctx.now.isoformat()}"
    card = staff_card(say("staff.assigned", code=booking.code), booking, facts)
    await _tell_by_chat_or_mail(ctx, booking, key, Message(tuple(says)), technician=card, waited_for=False)


async def unassigned(ctx: Context, booking: Booking) -> None:
    """The job goes to somebody else: tell the technician who still has it."""
    staff_notice = message(say("staff.taken_away", code=booking.code, at=ctx.shop.local(booking.starts_at)))
    key = f"taken-away:{booking.code}:{ctx.now.isoformat()}"
    await tell(ctx, booking, key, technician=staff_notice)


async def on_my_way(ctx: Context, booking: Booking) -> None:
    """Sent once for each appointment."""
    notice = message(await _by_technician(ctx.session, booking, "work.on_my_way"))
    key = f"on-my-way:{booking.code}:{booking.starts_at.isoformat()}"
    await _tell_by_chat_or_mail(ctx, booking, key, notice)


async def started(ctx: Context, booking: Booking) -> None:
    car = f"{booking.car_brand} {booking.car_model}"
    notice = message(say("work.started", name=booking.name, car=car, code=booking.code))
    await _tell_by_chat_or_mail(ctx, booking, f"started:{booking.code}", notice)


async def noted(ctx: Context, booking: Booking, note: WorkNote) -> None:
    """A note with its first photo; each further photo is a message."""
    head = say("work.note", code=booking.code, author=note.author)
    notices = [Message((head, say("work.note_text", text=note.text)) if note.text else (head,))]
    count = len(note.photos)
    notices += [message(say("work.photo", number=number, count=count)) for number in range(2, count + 1)]
    for number, notice in enumerate(notices):
        shown = _with_photo(notice, note.photos[number]) if note.photos else notice
        await _tell_by_chat_or_mail(ctx, booking, f"note:{note.id}:{number}", shown)


async def cost_proposed(ctx: Context, booking: Booking, cost: AdditionalCost) -> None:
    """Ask the customer; without a chat, ask an admin to do it."""
    key = f"cost:{cost.id}"
    if booking.contact_id is None:
        request = say("staff.cost_unasked", description=cost.description, amount=cost.amount)
        await alert_admins(ctx, booking, key, request)
        return
    asked = message(
        say("work.cost_proposed", name=booking.name, code=booking.code),
        say("work.cost", description=cost.description, amount=cost.amount),
        say("work.cost_question"),
        options=(
            Option(f"cost-yes:{cost.id}", say("work.cost_yes")),
            Option(f"cost-no:{cost.id}", say("work.cost_no")),
        ),
    )
    await tell(ctx, booking, key, chat=_with_photo(asked, cost.photo))


async def cost_added(ctx: Context, booking: Booking, cost: AdditionalCost, *, by_link: bool) -> None:
    """Confirm a cost to the customer, who agreed in person."""
    notice = message(
        say("work.cost_added", code=booking.code),
        say("work.cost", description=cost.description, amount=cost.amount),
        _new_total(booking, by_link=by_link),
    )
    await _tell_by_chat_or_mail(ctx, booking, f"cost:{cost.id}", _with_photo(notice, cost.photo))


async def cost_decided(ctx: Context, booking: Booking, cost: AdditionalCost, *, by_link: bool) -> None:
    """Confirm the customer's decision to both sides."""
    agreed = cost.state is CostState.AGREED
    says = [say("work.cost_agreed" if agreed else "work.cost_refused", description=cost.description)]
    if agreed:
        says.append(_new_total(booking, by_link=by_link))
    outcome = "staff.cost_agreed" if agreed else "staff.cost_refused"
    staff_notice = message(say(outcome, code=booking.code, description=cost.description, amount=cost.amount))
    key = f"cost-decided:{cost.id}"
    await _tell_by_chat_or_mail(ctx, booking, key, Message(tuple(says)), technician=staff_notice, admins=staff_notice)


async def cash_received(ctx: Context, booking: Booking, amount: Money, *, number: int, first: bool) -> None:
    """Cash came in: the invoice or the receipt for the customer; `first`: it confirmed the booking."""
    key = f"cash:{booking.code}:{number}"
    says = [say("notice.money_received", amount=amount, name=booking.name)]
    if first:
        says.append(say("notice.confirmed", code=booking.code))
    await reminders.schedule(ctx, booking)
    says.append(money_left(booking))
    news = Message(tuple(says), document=await receipts.to_send(ctx.session, booking))
    staff_notice = message(say("staff.cash", code=booking.code, amount=amount, remaining=booking.remaining))
    await tell(ctx, booking, key, chat=news, mail=news, subject="notice.mail.received", admins=staff_notice)


async def completed(ctx: Context, booking: Booking, *, papers: Sequence[str]) -> None:
    """The job is done: the warranty card with the invoices; a day later the customer is asked for a rating."""
    key = f"completed:{booking.code}"
    says = (say("work.completed", name=booking.name, code=booking.code), *_warranty_card(booking))
    notices = [Message(says, document=Document("invoice", papers[0]))]
    notices += [message(say("work.supplement"), document=Document("invoice", paper)) for paper in papers[1:]]
    for paper, notice in zip(papers, notices, strict=True):
        await tell(ctx, booking, f"{key}:{paper}", chat=notice, mail=notice, subject="work.mail.completed")
    await _ask_for_rating(ctx, booking)
    staff_notice = await _by_technician(ctx.session, booking, "staff.completed")
    await tell(ctx, booking, key, admins=message(staff_notice))


async def _ask_for_rating(ctx: Context, booking: Booking) -> None:
    ask_at = ctx.now + RATING_AFTER
    stars = (Option(f"rate:{booking.code}:{count}", say("work.stars", stars="⭐" * count)) for count in range(5, 0, -1))
    question = message(
        say("work.rate", name=booking.name, code=booking.code),
        options=tuple(stars),
        button=say("work.rate_button"),
    )
    until = ask_at + RATING_WANTED
    await tell(ctx, booking, f"rate:{booking.code}", chat=question, kind="reminder", due_at=ask_at, until=until)


def _warranty_card(booking: Booking) -> list[Say]:
    lines = [
        say("work.warranty_line", name=line.name, until=line.warranty_until)
        for line in booking.lines
        if line.warranty_until
    ]
    return [say("work.warranty"), block(lines)] if lines else []


def _new_total(booking: Booking, *, by_link: bool) -> Say:
    if not booking.remaining:
        return say("notice.paid_up", code=booking.code)
    how = "work.new_total_link" if by_link else "work.new_total_here"
    return say(how, total=booking.total_price, remaining=booking.remaining)


def _with_photo(notice: Message, photo: str | None) -> Message:
    """The message with a stored photo attached, or with a link to somebody else's."""
    if photo is None:
        return notice
    if media.is_key(photo):
        return Message(notice.says, notice.options, document=Document("photo", photo))
    return Message(notice.says, notice.options, link=Link(photo, say("work.see_photo")))


async def _by_technician(session: AsyncSession, booking: Booking, key: str) -> Say:
    technician = await session.get(Technician, booking.technician_id) if booking.technician_id else None
    who = technician.name if technician else say("work.our_team")
    return say(key, code=booking.code, technician=who)


async def _tell_by_chat_or_mail(
    ctx: Context,
    booking: Booking,
    key: str,
    customer: Message,
    *,
    technician: Message | None = None,
    admins: Message | None = None,
    waited_for: bool = True,
) -> None:
    """`tell` the customer in the chat, or by mail where no chat is known."""
    mail = customer if booking.contact_id is None else None
    await tell(ctx, booking, key, chat=customer, mail=mail, technician=technician, admins=admins, waited_for=waited_for)
