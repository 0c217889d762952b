"""Stock alerts: a chat is told once when a sold-out part can be sold again, without an order or a reservation.

For a whole order that waits, see `core.booking.waitlist`.
"""

from collections.abc import Sequence

from sqlalchemy import delete, select

from core.context import Context
from core.db.database import insert_once
from core.db.tables import Contact, Part, StockAlert
from core.messaging import outbox
from core.messaging.messages import Option, message, say
from core.money import discounted

_BACK = (Part.on_hand > Part.reserved, Part.is_available, Part.retired_at.is_(None), ~Part.is_pre_order_only)
MAX_AT_A_TIME = 100


async def ask(ctx: Context, contact: Contact, part_id: str) -> None:
    await insert_once(ctx.session, StockAlert, contact_id=contact.id, part_id=part_id, created_at=ctx.now)


async def forget(ctx: Context, contact: Contact) -> bool:
    """Delete all alerts of a chat; False when there was none."""
    asked = delete(StockAlert).where(StockAlert.contact_id == contact.id).returning(StockAlert.id)
    return bool((await ctx.session.scalars(asked)).all())


async def due(ctx: Context) -> Sequence[int]:
    """The ids of at most `MAX_AT_A_TIME` alerts whose part can be sold now, the oldest first.

    None outside the contact hours: the part may be gone again when they begin.
    """
    if not ctx.shop.is_contact_time(ctx.now):
        return []
    query = select(StockAlert.id).join(Part, Part.id == StockAlert.part_id).where(*_BACK)
    return (await ctx.session.scalars(query.order_by(StockAlert.id).limit(MAX_AT_A_TIME))).all()


async def tell(ctx: Context, alert_id: int) -> bool:
    """Tell the chat and delete the alert; False when the part is gone again, or another process did so."""
    back = select(Part.id).where(*_BACK, Part.id == StockAlert.part_id).exists()
    dropped = delete(StockAlert).where(StockAlert.id == alert_id, back).returning(StockAlert)
    alert = (await ctx.session.scalars(dropped)).one_or_none()
    if alert is None:
        return False
    contact = await ctx.session.get_one(Contact, alert.contact_id)
    part = await ctx.session.get_one(Part, alert.part_id)
    price = discounted(part.price, part.discount)
    key = f"stock-alert:{contact.id}:{part.id}:{alert.created_at.isoformat()}"
    option = Option(f"order:{part.id}", say("stock_alert.option.order"))
    notice = message(say("stock_alert.back", name=part.name, price=price), options=(option,))
    await outbox.notify(ctx, contact, notice, key=key, language=contact.language)
    return True
