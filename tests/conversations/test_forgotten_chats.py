"""A chat that was quiet for a year is forgotten, and its buttons stay stale."""

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from talk import Talk

from bot import config
from bot.papers.photos import Photos
from bot.transactions import Transactions
from bot.watching import housekeeping
from conversations.state import State
from core.db.database import Database
from core.db.tables import Inbound
from core.people import contacts
from core.shop import Shop


async def test_buttons_of_a_forgotten_chat_stay_stale(
    sqlite_url: str, shop: Shop, now: datetime, tmp_path: Path
) -> None:
    talk = Talk(Database(sqlite_url), shop, "telegram", now)
    await talk.type("mau booking")
    async with talk.database.read() as session:
        before = State.from_json(await contacts.load_state(session, "telegram", talk.address), now=now)
    assert before.flow
    later = now + timedelta(days=366)
    photos = Photos(tmp_path, lambda: "")
    await housekeeping.forgetting(
        config.Privacy(), Transactions(talk.database, talk.shop, lambda: later), photos
    ).check()
    async with talk.database.write() as session:
        state = State.from_json(await contacts.load_state(session, "telegram", talk.address), now=later)
        assert (state.flow, state.answers) == (None, [])
        assert state.prompt > before.prompt
        assert not (await session.scalars(select(Inbound))).all()
    await talk.database.close()
