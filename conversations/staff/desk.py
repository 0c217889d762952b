"""The admin's figures, the month's report, pending bookings, and who does which job."""

from conversations.registry import action
from conversations.staff import jobs
from conversations.staff.monthly import name_of, summary
from conversations.turn import Question, Turn, Who, question
from conversations.understand.days import read_month
from core import payment, work
from core.messaging.messages import Document, Option, say
from core.reports import monthly, overview
from core.states import BookingStatus


@action("figures", who=Who.ADMIN)
async def figures(turn: Turn, _: str) -> Question:
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
        say("team.week", lines=[say("team.day", day=it.day, count=it.bookings, revenue=it.revenue) for it in week]),
        document=Document("week", f"{week[0].day}.{turn.contact.language}"),
        always=[Option("pending", say("team.option.pending")), jobs.TO_STAFF_MENU],
    )


@action("report", who=Who.ADMIN)
async def report(turn: Turn, words: str = "") -> Question:
    """A summary of the named month, or of this one, with the whole as a CSV file; raises `BooksDiffer`."""
    today = turn.local_now.date()
    first = read_month(words, today) if words else monthly.month_of(today)
    if first is None:
        return question(say("report.which"), always=[jobs.TO_STAFF_MENU])
    before, after = monthly.month_before(first), monthly.month_after(first)
    others = [Option(f"report:{before:%Y-%m}", say("team.option.report_before", month=name_of(before)))]
    if after <= today:
        others.append(Option(f"report:{after:%Y-%m}", say("team.option.report_after", month=name_of(after))))
    return question(
        *summary(await monthly.load(turn.session, first, shop=turn.shop)),
        document=Document("report", f"{first:%Y-%m}.{turn.contact.language}"),
        always=[*others, jobs.TO_STAFF_MENU],
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
    booking = await turn.job(code)
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
    await work.assign(turn.ctx, await turn.job(code), technician, actor=turn.staff.name)
    return await jobs.done(turn, code, say("team.given"), technician=True)
