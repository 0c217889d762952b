"""The staff menu, the jobs of a day, one job, and its actions: on my way, start, finish."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote_plus

from conversations import registry
from conversations.registry import TO_MENU, action
from conversations.turn import Question, Turn, Who, question
from core import payment, work
from core.db.tables import Booking
from core.messaging.messages import Link, Option, Say, say
from core.notices import cards
from core.reports import overview
from core.states import BookingStatus, CostState, Location, PaymentMethod, check_move
from core.work import History

MAX_LISTED = 8
DAYS = {"today": 0, "tomorrow": 1}
TO_STAFF_MENU = Option("staff", say("team.option.menu"))
_MENU = ("jobs:today", "jobs:tomorrow", "pending", "figures", "report", "stock", "close", "refunds", "stuck")
_LIVE = (BookingStatus.PENDING, BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS)
_WORKED_ON = (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS)


@action("staff", who=Who.STAFF)
async def menu(turn: Turn, _: str = "", *, first: Say | None = None) -> Question:
    """What the staff member may do, below what was just done."""
    entries = [entry for entry in _MENU if registry.allows(turn, entry)]
    return question(
        *([first] if first else []),
        say(f"team.menu.{turn.staff.role}", name=turn.staff.name),
        options=[Option(entry, say(f"team.option.{entry.replace(':', '.')}")) for entry in entries],
        always=[TO_MENU],
        button=say("button.menu"),
    )


@action("jobs", who=Who.STAFF)
async def of_day(turn: Turn, which: str) -> Question:
    """A technician's own jobs, all of them for an admin."""
    name, _, begins = which.partition(":")
    day = turn.written_at.date() + timedelta(days=DAYS.get(name, 0))
    jobs: Sequence[Booking] = ()
    if turn.staff.technician is not None:
        jobs = await work.agenda(turn.ctx, turn.staff.technician, day)
    elif turn.may(Who.ADMIN):
        found, _ = await overview.find(turn.ctx, day=day, limit=200)
        jobs = [booking for booking in reversed(found) if booking.status is not BookingStatus.CANCELLED]
    if not jobs:
        return question(say("team.no_jobs", day=day), always=[TO_STAFF_MENU])
    return listed(turn, say("team.jobs", day=day, count=len(jobs)), jobs, more=f"jobs:{name}", begins=begins)


def listed(turn: Turn, head: Say, jobs: Sequence[Booking], *, more: str, begins: str = "") -> Question:
    """A page of jobs, each with its facts and a button; `more` is the action for the next page."""
    first = int(begins) if begins.isdecimal() else 0
    shown, rest = jobs[first : first + MAX_LISTED], len(jobs) > first + MAX_LISTED
    following = [Option(f"{more}:{first + MAX_LISTED}", say("option.next_page"))] if rest else []
    return question(
        head,
        *(_line(turn, booking) for booking in shown),
        options=[
            Option(
                f"job:{booking.code}",
                say("team.entry", at=turn.shop.local(booking.starts_at), code=booking.code),
                _car(booking),
            )
            for booking in shown
        ],
        always=[*following, TO_STAFF_MENU],
        button=say("team.button.jobs"),
    )


@action("job", who=Who.STAFF)
async def card(turn: Turn, code: str, *first: Say) -> Question:
    """The job as it is now, below what was just done."""
    booking = await turn.job(code)
    head = say("team.job", code=code, status=say(f"status.{booking.status}"))
    facts = cards.staff_card(head, booking, await cards.job_facts(turn.ctx, booking)).says
    # A shared location has its pin among the facts.
    is_typed = booking.location is Location.ONSITE and booking.address and booking.latitude is None
    address_map = [say("team.map", query=quote_plus(booking.address or ""))] if is_typed else []
    return question(
        *first,
        *facts,
        *address_map,
        *_notes_and_costs(turn, await work.history(turn.session, booking)),
        options=_possible_actions(turn, booking),
        always=[TO_STAFF_MENU],
        button=say("team.button.job"),
    )


async def done(turn: Turn, code: str, first: Say, *, technician: bool = False) -> Question:
    """The job below what was just done, and who was told of it: the customer, and the `technician` if it concerns them."""
    booking = await turn.job(code)
    is_told = booking.contact_id is not None or bool(booking.email)
    told = [say("team.told.customer") if is_told else say("team.untold.customer", phone=booking.phone or "-")]
    if technician and booking.technician_id is not None:
        has_chat = bool(turn.shop.addresses_of(booking.technician_id))
        told.append(say("team.told.technician" if has_chat else "team.untold.technician"))
    return await card(turn, code, first, cards.block(told))


@action("way", who=Who.STAFF)
async def on_my_way(turn: Turn, code: str) -> Question:
    await work.on_my_way(turn.ctx, await turn.job(code), actor=turn.staff.name)
    return await done(turn, code, say("team.on_my_way"))


@action("start", who=Who.STAFF)
async def start(turn: Turn, code: str) -> Question:
    await work.start(turn.ctx, await turn.job(code), actor=turn.staff.name)
    return await done(turn, code, say("team.started"))


@action("finish", who=Who.STAFF)
async def finish(turn: Turn, code: str) -> Question:
    """Complete a job if it is paid and each additional cost was answered; else ask for what is missing."""
    booking = await turn.job(code)
    check_move(booking.status, BookingStatus.COMPLETED)
    if booking.remaining:
        by_link = booking.payment_method is not PaymentMethod.COD
        ways = ["link", "cash"] if by_link else ["cash"]
        return question(
            say("team.unpaid", remaining=booking.remaining),
            options=[*(Option(f"{way}:{code}", say(f"team.option.{way}")) for way in ways), back_to_job(code)],
        )
    past = await work.history(turn.session, booking)
    undecided = [cost for cost in past.costs if cost.state is CostState.PROPOSED]
    if undecided:
        lines = [say("work.cost", description=cost.description, amount=cost.amount) for cost in undecided]
        anyway = Option(f"finish-anyway:{code}", say("team.option.finish_anyway"))
        return question(say("team.undecided", lines=lines), options=[anyway, back_to_job(code)])
    return await finish_anyway(turn, code)


@action("finish-anyway", who=Who.STAFF)
async def finish_anyway(turn: Turn, code: str) -> Question:
    """Complete a job; unanswered costs are not billed."""
    await work.complete(turn.ctx, await turn.job(code), actor=turn.staff.name)
    return await done(turn, code, say("team.finished"))


@action("link", who=Who.STAFF)
async def send_link(turn: Turn, code: str) -> Question:
    """Send the customer a payment link for the rest; staff sees one that already exists."""
    booking = await turn.job(code)
    request = await payment.request(turn.ctx, booking, percent=None)
    if request.url is None:
        return question(say("team.link_coming", amount=request.amount), options=[back_to_job(code)])
    return question(
        say("team.link_lives", amount=request.amount),
        link=Link(request.url, say("option.pay", amount=request.amount)),
        options=[back_to_job(code)],
    )


def back_to_job(code: str) -> Option:
    return Option(f"job:{code}", say("team.option.back_to_job"))


def _line(turn: Turn, booking: Booking) -> Say:
    return say(
        "team.job_line",
        at=turn.shop.local(booking.starts_at),
        code=booking.code,
        status=say("team.without_place" if payment.has_lost_slot(booking) else f"status.{booking.status}"),
        car=_car(booking),
        name=booking.name,
        technician=booking.technician.name if booking.technician else say("team.nobody"),
        items=[say("notice.line.item", quantity=line.quantity, name=line.name) for line in booking.lines],
    )


def _car(booking: Booking) -> str:
    words = (booking.car_brand, booking.car_model, str(booking.car_year), booking.plate)
    return " ".join(word for word in words if word)


def _notes_and_costs(turn: Turn, past: History) -> list[Say]:
    notes = [
        say("team.note", at=turn.shop.local(note.at), author=note.author, text=note.text, photos=len(note.photos))
        for note in past.notes
    ]
    costs = [
        say("team.cost", description=cost.description, amount=cost.amount, state=say(f"cost.{cost.state}"))
        for cost in past.costs
    ]
    return [cards.block(notes + costs)] if notes or costs else []


def _possible_actions(turn: Turn, booking: Booking) -> list[Option]:
    status, code = booking.status, booking.code
    names = []
    if status is BookingStatus.CONFIRMED:
        names += ["way"] if booking.location is Location.ONSITE else []
        names += ["start"]
        names += ["no-show"] if booking.starts_at <= turn.now else []
    if status in _WORKED_ON or status is BookingStatus.COMPLETED:
        names += ["note"]
    if status in _WORKED_ON:
        names += ["cost"]
    if status is BookingStatus.IN_PROGRESS:
        names += ["finish"]
    if status in _LIVE and booking.remaining:
        names += ["cash"]
    names += ["shift"] if status in (BookingStatus.PENDING, BookingStatus.CONFIRMED) else []
    names += ["assign", "call-off"] if status in _LIVE else []
    names += ["write", "take"] if booking.contact_id is not None else []
    return [Option(f"{name}:{code}", say(f"team.option.{name}")) for name in names if registry.allows(turn, name)]
