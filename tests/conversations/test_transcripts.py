"""Every transcript, for every renderer: as it stands, with each message delivered twice, with a restart after
every turn, and with a stale tap before every deed.

    > typed words      [a button's words]      < what must be on the screen      <! what must not
    @contact +62…      @place      @photo      @link arrives      @pays      @time runs out
    @others buy PART   @others book 2026-11-24T10:00   @waits 90 minutes
    @booked 2026-11-24T10:00 TECHNICIAN                @pays late
    @frees 2026-11-24T10:00        @frees PART         @line moves
    # a comment        : channel telegram      : language en
"""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from talk import Talk

from core.db.database import Database
from core.db.tables import Conversation, Slot
from core.shop import Shop

FOLDER = Path(__file__).parents[1] / "transcripts"
TRANSCRIPTS = {file.stem: file.read_text("utf-8") for file in sorted(FOLDER.glob("*.txt"))}
WAYS = ("as it stands", "every message twice", "a restart after every turn", "stale taps")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
@pytest.mark.parametrize("transcript", TRANSCRIPTS)
async def test_the_conversation_reads_as_written(
    transcript: str, channel: str, way: str, stocked: Database, shop: Shop, now: datetime
) -> None:
    lines = TRANSCRIPTS[transcript].splitlines()
    settings = dict(line[2:].split(" ", 1) for line in lines if line.startswith(": "))
    if settings.get("channel", channel) != channel:
        pytest.skip(f"only for {settings['channel']}")
    talk = Talk(
        stocked,
        shop,
        channel,
        now,
        language=settings.get("language"),
        restarting=way == WAYS[2],
        twice=way == WAYS[1],
    )
    for number, line in enumerate(lines, 1):
        if way == WAYS[3] and line.startswith((">", "[")) and talk.events:
            await _stale_tap(talk)
        await _play(talk, line, f"{transcript}.txt line {number}: {line}")


async def _play(talk: Talk, line: str, where: str) -> None:
    match line[:1], line[1:].strip():
        case ">", text:
            await talk.type(text)
        case "[", label:
            await talk.tap(label.removesuffix("]"))
        case "@", deed:
            await _deed(talk, deed)
        case "<", expected if expected.startswith("!"):
            assert expected[1:].strip().casefold() not in talk.screen.casefold(), f"{where}\n\n{talk.screen}"
        case "<", expected:
            assert expected.casefold() in talk.screen.casefold(), f"{where}\n\n{talk.screen}"
        case _:
            pass


async def _deed(talk: Talk, deed: str) -> None:
    match deed.split(" ", 1):
        case ["contact", phone]:
            await talk.share_contact(phone)
        case ["place"]:
            await talk.share_place()
        case ["photo"]:
            await talk.send_photo()
        case ["link", "arrives"]:
            await talk.link_arrives()
        case ["pays"]:
            await talk.pays()
        case ["pays", "late"]:
            await talk.pays(late=True)
        case ["booked", what]:
            moment, _, technician = what.partition(" ")
            await talk.has_booked(moment, technician or None)
        case ["others", what]:
            verb, thing = what.split(" ", 1)
            await (talk.others_buy(thing) if verb == "buy" else talk.others_book(thing))
        case ["frees", what]:
            await talk.something_frees(what)
        case ["line", "moves"]:
            await talk.line_moves()
        case ["time", "runs out"]:
            await talk.time_runs_out()
        case ["waits", minutes]:
            talk.now += timedelta(minutes=int(minutes.removesuffix(" minutes")))
        case _:
            raise ValueError(deed)


async def _stale_tap(talk: Talk) -> None:
    """A button of an older question does nothing but bring the open question of a flow back."""
    flow, *before = await _remembered(talk)
    if flow is None or "menu" in [words.key for words in talk.seen[-1].says]:
        return
    asked = talk.seen[-1].says[-1].key
    await talk.choose("0:0")
    assert await _remembered(talk) == (flow, *before)
    assert asked in [words.key for words in talk.seen[-1].says], "the open question comes back"


async def _remembered(talk: Talk) -> tuple[object, ...]:
    async with talk.database.read() as session:
        state = (await session.scalars(select(Conversation.state))).one()
        taken = await session.scalar(select(func.sum(Slot.taken)))
    return state["flow"], state["answers"], taken
