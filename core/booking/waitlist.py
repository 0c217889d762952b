"""The waitlist: an order waits for a full slot, a busy technician or a part out of stock.

    join_waitlist ──> WAITING ── make_offer ──> OFFERED ── take_offer ──> TAKEN
                         │                         └── pass_on_offer, no answer ──> ENDED
                         └── leave_waitlist, its start has come ──> ENDED

Offers, and what ends by itself, are in `waitlist_offers`; who gets an offer first is in `waitlist_priority`.
"""

from collections.abc import Sequence

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.booking.placement import remember_customer
from core.context import Context, Work
from core.db.database import advisory_lock
from core.db.tables import Waiting
from core.refusals import AlreadyWaiting, InsufficientStock, NotFound, SlotFull, TechnicianBusy, TooManyWaits
from core.schedule.occupancy import IS_WAITING
from core.schedule.orders import BookingRequest, Order, plan_job
from core.states import WaitState

WAITABLE = (SlotFull, TechnicianBusy, InsufficientStock)
"""The refusals that the waitlist is for."""
_ORDERS = TypeAdapter(Order)


async def join_waitlist(ctx: Context, request: BookingRequest) -> Waiting:
    """Put an order at the end of the waitlist; nothing is held and nothing is to be paid.

    Raises `AlreadyWaiting`, `TooManyWaits`, and what booking it would, except `WAITABLE`.
    """
    await remember_customer(ctx, request)
    return await append(ctx, request)


async def leave_waitlist(session: AsyncSession, code: str, *, customer_id: int) -> Waiting:
    """End a customer's entry; raises `NotFound` unless it is theirs and still waits."""
    entry = await lock_entry(session, Waiting.booking_code == code)
    if entry is None or entry.customer_id != customer_id or entry.state is not WaitState.WAITING:
        raise NotFound
    entry.state = WaitState.ENDED
    return entry


async def waitlist_entries(session: AsyncSession, customer_id: int) -> Sequence[Waiting]:
    """The customer's waiting entries, the nearest start first."""
    own = select(Waiting).where(Waiting.customer_id == customer_id, Waiting.state == WaitState.WAITING)
    return (await session.scalars(own.order_by(Waiting.starts_at))).all()


async def count_ahead(session: AsyncSession, entry: Waiting) -> int:
    """How many earlier entries wait for the same start."""
    before = (IS_WAITING, Waiting.starts_at == entry.starts_at, Waiting.id < entry.id)
    return await session.scalar(select(func.count(Waiting.id)).where(*before)) or 0


async def append(ctx: Context, request: BookingRequest) -> Waiting:
    """`join_waitlist` for a customer whose details are known; raises what it does."""
    starts_at = request.order.starts_at
    await advisory_lock(ctx.session, f"waiting of customer {request.customer_id}")
    own = await waitlist_entries(ctx.session, request.customer_id)
    if any(entry.starts_at == starts_at for entry in own):
        raise AlreadyWaiting(at=ctx.shop.local(starts_at))
    if len(own) >= ctx.shop.max_waits:
        raise TooManyWaits(most=ctx.shop.max_waits)
    plan = await plan_job(ctx, request)
    entry = Waiting(
        booking_code=request.code,
        customer_id=request.customer_id,
        contact_id=request.contact_id,
        language=request.language,
        starts_at=starts_at,
        order=_ORDERS.dump_python(request.order, mode="json") | {"total": plan.quote.total},
        state=WaitState.WAITING,
        created_at=ctx.now,
    )
    ctx.session.add(entry)
    await ctx.session.flush()
    ctx.effects.work.add(Work.WAITLIST)
    return entry


def request_of(entry: Waiting, *, code: str) -> BookingRequest:
    """The request that an entry was made from, for a booking with this code."""
    order = {name: value for name, value in entry.order.items() if name != "total"}
    return BookingRequest(
        order=_ORDERS.validate_python(order),
        customer_id=entry.customer_id,
        contact_id=entry.contact_id,
        language=entry.language,
        code=code,
    )


async def lock_entry(session: AsyncSession, which: ColumnElement[bool]) -> Waiting | None:
    query = select(Waiting).where(which).with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(query)).one_or_none()
