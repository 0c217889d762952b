"""How a customer may pay after more no-shows than the shop tolerates: in full or with the highest down payment, and
no longer in cash.
"""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.tables import Booking
from core.pricing import policy
from core.refusals import BadDownPayment, NoCashAfterNoShows
from core.states import PaymentMethod


async def count_no_shows(session: AsyncSession, customer_id: int) -> int:
    stayed_away = select(func.count()).where(Booking.customer_id == customer_id, Booking.no_show_at.is_not(None))
    return await session.scalar(stayed_away) or 0


async def check_payment_terms(ctx: Context, customer_id: int, method: PaymentMethod, percent: int | None) -> None:
    """Raise `NoCashAfterNoShows` or `BadDownPayment` unless this customer may pay so; `percent` None: in full."""
    if method is not PaymentMethod.COD and percent is None:
        return
    missed = await count_no_shows(ctx.session, customer_id)
    if policy.is_trusted(missed, ctx.shop):
        return
    if method is PaymentMethod.COD:
        raise NoCashAfterNoShows
    if percent not in policy.down_payments(missed, ctx.shop):
        highest = max(ctx.shop.down_payment_percents, default=100)
        raise BadDownPayment(least=highest, most=highest)
