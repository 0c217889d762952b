"""What admins change of the shop's settings: stored over those of config.yaml, which hold what nobody has changed."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.database import insert_into
from core.db.tables import ShopSetting
from core.refusals import NeverOpen
from core.shop import Shop


async def load(session: AsyncSession, shop: Shop) -> Shop:
    """The shop with what was changed since."""
    changed = {each.name: each.value for each in await session.scalars(select(ShopSetting))}
    return Shop.model_validate(shop.model_dump() | changed) if changed else shop


async def change(session: AsyncSession, shop: Shop, values: Mapping[str, object]) -> Shop:
    """Store settings by their names in `Shop`, in JSON's types. Raises `NeverOpen`."""
    hours = values.get("opening_hours")
    if isinstance(hours, Mapping) and not any(hours.values()):
        raise NeverOpen
    if values:
        stored = insert_into(session, ShopSetting).values(
            [{"name": name, "value": value} for name, value in values.items()]
        )
        await session.execute(
            stored.on_conflict_do_update(index_elements=["name"], set_={"value": stored.excluded.value})
        )
    return await load(session, shop)
