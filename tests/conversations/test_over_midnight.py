"""A conversation across midnight, the year's end and a restart keeps the day it meant."""

from datetime import UTC, datetime

from talk import Talk

from conversations.state import State
from core.db.database import Database
from core.people import contacts
from core.shop import Shop


async def test_a_chosen_day_survives_midnight_and_a_restart(stocked_sqlite_url: str, shop: Shop) -> None:
    last_minute = datetime(2026, 12, 31, 16, 59, 30, tzinfo=UTC)  # 23:59:30 in Jakarta
    talk = Talk(Database(stocked_sqlite_url), shop, "telegram", last_minute, restarting=True)
    await talk.type("mau pasang speaker lusa")
    assert await _day(talk) == "2027-01-02"
    await talk.type("Toyota Avanza 2018")
    assert shop.local(talk.now).year == 2027
    assert await _day(talk) == "2027-01-02"
    await talk.type("lusa")  # after midnight, "lusa" is the next day
    assert "Sab, 2 Jan → Min, 3 Jan ✓" in talk.screen
    await talk.database.close()


async def _day(talk: Talk) -> str:
    async with talk.database.read() as session:
        state = State.from_json(await contacts.load_state(session, "telegram", talk.address), now=talk.now)
    return str(state.get("date"))
