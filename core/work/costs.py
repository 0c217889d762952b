"""Additional costs: proposed to the customer, billed once agreed.

add_cost ──> PROPOSED ── decide_cost ──> AGREED: a line, a higher total, a link for the rest
     └── agreed (REST) ─────────────────────^        REFUSED: kept in the history, never billed
"""

from sqlalchemy import select

from core import media, payment
from core.context import Context
from core.db.tables import AdditionalCost, Booking, BookingLine
from core.money import Money
from core.pricing import prices
from core.refusals import BadAmount, CostDecided, MethodCannotPay, NotBeingWorkedOn, NotFound
from core.schedule import bookings
from core.states import BookingStatus, CostState, EventKind
from core.work import notices

MAX_COST = 1_000_000_000
"""In rupiah: more is a typing error."""
_WORKED_ON = (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS)


async def add_cost(
    ctx: Context, booking: Booking, description: str, amount: Money, *, agreed: bool, photo: str | None, actor: str
) -> AdditionalCost:
    """Add a cost of `amount` (before PPN): billed at once if the customer has `agreed`, else proposed to them.

    Raises `BadAmount`, `BadPhotos`, `NotBeingWorkedOn`.
    """
    booking = await payment.lock_booking(ctx.session, booking.id)
    if booking.status not in _WORKED_ON:
        raise NotBeingWorkedOn
    if not 1 <= amount <= MAX_COST:
        raise BadAmount(least=1, most=MAX_COST)
    media.check([photo] if photo else [])
    cost = AdditionalCost(
        booking_id=booking.id,
        description=description,
        amount=amount,
        photo=photo,
        state=CostState.PROPOSED,
        proposed_by=actor,
        proposed_at=ctx.now,
    )
    ctx.session.add(cost)
    await ctx.session.flush()
    bookings.record_event(ctx, booking, EventKind.COST_PROPOSED, actor=actor, cost_id=cost.id, amount=amount)
    if agreed:
        by_link = await _bill(ctx, booking, cost, actor=actor)
        await notices.cost_added(ctx, booking, cost, by_link=by_link)
    else:
        await notices.cost_proposed(ctx, booking, cost)
    return cost


async def decide_cost(ctx: Context, cost_id: int, *, agreed: bool, customer_id: int) -> AdditionalCost:
    """Agree to a proposed cost or refuse it, once.

    Raises `NotFound` unless it is a booking of this customer's, `CostDecided`, `NotBeingWorkedOn`.
    """
    cost = await ctx.session.get(AdditionalCost, cost_id)
    if cost is None:
        raise NotFound
    booking = await payment.lock_booking(ctx.session, cost.booking_id)
    if booking.customer_id != customer_id:
        raise NotFound
    await ctx.session.refresh(cost)  # another tap may have decided it before we had the lock
    if cost.state is not CostState.PROPOSED:
        raise CostDecided
    if booking.status not in _WORKED_ON:
        raise NotBeingWorkedOn
    by_link = False
    if agreed:
        by_link = await _bill(ctx, booking, cost, actor=bookings.CUSTOMER)
    else:
        _refuse(ctx, booking, cost, actor=bookings.CUSTOMER)
    await notices.cost_decided(ctx, booking, cost, by_link=by_link)
    return cost


async def withdraw(ctx: Context, booking: Booking, *, actor: str) -> None:
    """Refuse the costs that nobody decided on, when the work is over."""
    undecided = await ctx.session.scalars(
        select(AdditionalCost).where(
            AdditionalCost.booking_id == booking.id, AdditionalCost.state == CostState.PROPOSED
        )
    )
    for cost in undecided:
        _refuse(ctx, booking, cost, actor=actor)


def _refuse(ctx: Context, booking: Booking, cost: AdditionalCost, *, actor: str) -> None:
    cost.state, cost.decided_at = CostState.REFUSED, ctx.now
    bookings.record_event(ctx, booking, EventKind.COST_REFUSED, actor=actor, cost_id=cost.id, amount=cost.amount)


async def _bill(ctx: Context, booking: Booking, cost: AdditionalCost, *, actor: str) -> bool:
    """Add the cost to the booking and ask for what remains; True when a payment link follows."""
    cost.state, cost.decided_at = CostState.AGREED, ctx.now
    booking.lines.append(BookingLine(name=cost.description, quantity=1, price=cost.amount, total=cost.amount))
    booking.additional_costs += cost.amount
    booking.total_price += cost.amount + _more_tax(booking, cost.amount)
    bookings.record_event(ctx, booking, EventKind.COST_AGREED, actor=actor, cost_id=cost.id, amount=cost.amount)
    await ctx.session.flush()
    await payment.update_totals(ctx.session, booking)
    if not booking.remaining:
        return False
    try:
        await payment.request(ctx, booking, percent=None)
    except MethodCannotPay:  # cash, or below the minimum of the method: it is paid at the workshop
        return False
    return True


def _more_tax(booking: Booking, amount: Money) -> Money:
    """The PPN that an agreed cost adds to a taxed booking: computed on the whole price, to round only once."""
    if not booking.tax_base:
        return 0
    before = booking.tax_amount
    price = booking.total_price - before + amount
    booking.tax_base, booking.tax_amount = prices.ppn(price)
    return booking.tax_amount - before
