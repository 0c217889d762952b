"""The admin's figures, pending bookings, and who does which job."""

from conversations.registry import action
from conversations.staff import jobs, who
from conversations.turn import Question, Turn, Who, question
from core import payment, work
from core.messaging.messages import Document, Option, say
from core.reports import overview
from core.states import BookingStatus


@action("figures", who=Who.ADMIN)
async def figures(turn: Turn, _: str) -> Question:
    """Bookings by status, total revenue, and this week day by day, with a chart."""
    now = await overview.dashboard(turn.session)
    week = await overview.week(turn.ctx, turn.local_now.date())
    return question(
        say(
            "team.figures",
            total=now.total,
            pending=now.pending,
            confirmed=now.confirmed,
            in_progress=now.in_progress,
            completed=now.completed,
            cancelled=now.cancelled,
            revenue=now.revenue,
        ),
        say(
            "team.week",
            lines=[say("team.day", day=day.day, count=day.bookings, revenue=day.revenue) for day in week],
        ),
        document=Document("week", f"{week[0].day}.{turn.contact.language}"),
        always=[Option("pending", say("team.option.pending")), jobs.TO_STAFF_MENU],
    )


@action("pending", who=Who.ADMIN)
async def pending(turn: Turn, begins: str) -> Question:
    """The bookings that wait: those paid without a place, then for money or a technician, the next appointment first."""
    found, _ = await overview.find(turn.ctx, status=BookingStatus.PENDING, limit=200)
    if not found:
        return question(say("team.none_pending"), always=[jobs.TO_STAFF_MENU])
    head = say("team.pending", count=len(found))
    first = sorted(found, key=lambda booking: (not payment.has_lost_slot(booking), booking.starts_at))
    return jobs.listed(turn, head, first, more="pending", begins=begins)


@action("assign", who=Who.ADMIN)
async def assign(turn: Turn, code: str) -> Question:
    """The technicians who are free for a job."""
    booking = await who.job(turn, code)
    free = await work.free_for(turn.ctx, booking)
    back = jobs.back_to_job(code)
    if not free:
        return question(say("team.nobody_free"), always=[back])
    return question(
        say("team.who_does_it", code=code, at=turn.shop.local(booking.starts_at)),
        options=[Option(f"give:{code}:{technician.id}", technician.name) for technician in free],
        always=[back],
        button=say("button.technician"),
    )


@action("give", who=Who.ADMIN)
async def give(turn: Turn, argument: str) -> Question:
    """Assign a job; the customer and the technician are notified."""
    code, _, technician = argument.partition(":")
    booking = await who.job(turn, code)
    await work.assign(turn.ctx, booking, technician, actor=who.acting(turn).name)
    return await jobs.card(turn, code, say("team.given"))
