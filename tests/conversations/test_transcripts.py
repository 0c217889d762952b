"""Every transcript as it stands on both channels; and once each with every message delivered twice, with a restart after
every turn, and with a stale tap before every deed, so that each channel meets each database.

No renderer knows the database.
"""

from datetime import datetime

import pytest
from playing import play
from sqlalchemy import func, select
from talk import Talk
from transcript import FOLDER, Taps, Types, read_folder

from core.db.database import Database
from core.db.tables import Booking, Conversation
from core.shop import Shop

TRANSCRIPTS = read_folder(FOLDER)
AS_IT_STANDS, TWICE, RESTARTING, STALE_TAPS = (
    "as it stands",
    "every message twice",
    "a restart after every turn",
    "stale taps",
)
RUNS = (
    (AS_IT_STANDS, "telegram", "sqlite"),
    (AS_IT_STANDS, "whatsapp", "postgres"),
    (TWICE, "telegram", "postgres"),
    (RESTARTING, "telegram", "sqlite"),
    (STALE_TAPS, "whatsapp", "sqlite"),
)


def _runs(transcript: str) -> list[tuple[str, str, str]]:
    """All of them, or those of the only channel on which somebody can talk so."""
    only = TRANSCRIPTS[transcript].settings.get("channel")
    return list(dict.fromkeys((way, only or channel, database) for way, channel, database in RUNS))


@pytest.mark.parametrize(
    ("transcript", "way", "channel", "stocked"),
    [
        pytest.param(transcript, way, channel, database, id=f"{transcript}-{channel}-{database}-{way}")
        for transcript in TRANSCRIPTS
        for way, channel, database in _runs(transcript)
    ],
    indirect=["stocked"],
)
async def test_the_conversation_reads_as_written(
    transcript: str, channel: str, way: str, stocked: Database, shop: Shop, now: datetime
) -> None:
    talk = Talk(
        stocked,
        shop,
        channel,
        now,
        language=TRANSCRIPTS[transcript].settings.get("language"),
        restarting=way == RESTARTING,
        twice=way == TWICE,
    )
    for step in TRANSCRIPTS[transcript].steps:
        if way == STALE_TAPS and isinstance(step, Types | Taps) and talk.events:
            await _stale_tap(talk)
        await play(talk, step)


async def _stale_tap(talk: Talk) -> None:
    """A button of an older question does nothing but bring the open question of a flow back."""
    flow, *before = await _remembered(talk)
    if flow is None or "menu" in [words.key for words in talk.seen[-1].says]:
        return
    asked = talk.seen[-1].says[-1].key
    await talk.choose("0:0")
    assert await _remembered(talk) == (flow, *before)
    shown = [words.key for words in talk.seen[-1].says]
    in_full = f"ask.{asked.removeprefix('again.')}"  # a question that was repeated in fewer words
    assert asked in shown or any(key.startswith(in_full) for key in shown), "the open question comes back"


async def _remembered(talk: Talk) -> tuple[object, ...]:
    async with talk.database.read() as session:
        state = (await session.scalars(select(Conversation.state))).one_or_none() or {"flow": None, "answers": []}
        taken = await session.scalar(select(func.count()).where(Booking.holding))
    return state["flow"], state["answers"], taken
