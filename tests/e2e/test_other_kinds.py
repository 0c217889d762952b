"""Messages that aren't plain words, over the real webhooks: one kind sentence, or silence; and edits that count."""

import io
from typing import Any

import pytest
from booking_by_phone import says, sees, taps
from PIL import Image
from sqlalchemy import select
from town import Town

from bot.sandbox.phones import FileKind, Person
from core.db.database import Database
from core.db.tables import Conversation

pytestmark = pytest.mark.parametrize("closed_town", ["sqlite"], indirect=True)
"""What is said doesn't depend on the database."""
CHANNELS = ["telegram", "whatsapp"]
FLEET = "mau pasang speaker di avanza 2018 besok jam 10"


def _said(person: Person) -> list[str]:
    return [bubble.text for bubble in person.bubbles if bubble.author == "shop"]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    ("kind", "content_type", "sentence"),
    [
        ("voice", "audio/ogg", "pesan suara"),
        ("audio", "audio/mpeg", "pesan suara"),
        ("video", "video/mp4", "videonya"),
        ("video_note", "video/mp4", "videonya"),
        ("animation", "video/mp4", "videonya"),
        ("sticker", "image/webp", "Stikernya"),
        ("document", "application/pdf", "Kirimannya"),
    ],
)
async def test_each_kind_gets_one_kind_sentence(
    town: Town, channel: str, kind: FileKind, content_type: str, sentence: str
) -> None:
    """And the open question again, never "belum paham" and never a call for staff."""
    customer = town.customer(channel)
    question = (await says(customer, FLEET, "speaker")).text.rpartition("\n\n")[2]
    for _ in range(4):
        assert await customer.send_file(kind, content_type) == 200
        reply = (await customer.next_reply()).text
        assert sentence in reply
        assert question in reply
        assert "paham" not in reply
    assert _said(town.owner) == []


@pytest.mark.parametrize("what", ["poll", "dice"])
async def test_polls_and_dice_are_answered(town: Town, what: str) -> None:
    await says(town.telegram, "/menu", "")
    await town.telegram.play("dice" if what == "dice" else "poll")
    assert "Kirimannya" in (await town.telegram.next_reply()).text


async def test_what_whatsapp_doesnt_name_is_answered(town: Town) -> None:
    await says(town.whatsapp, "/menu", "")
    await town.whatsapp.play("poll")
    assert "Kirimannya" in (await town.whatsapp.next_reply()).text


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_location_nobody_asked_for_is_thanked(town: Town, channel: str) -> None:
    customer = town.customer(channel)
    await says(customer, "/menu", "")
    await customer.share_location(-6.2, 106.8)
    assert "Terima kasih lokasinya" in (await customer.next_reply()).text


async def test_a_live_location_is_answered_once(town: Town) -> None:
    customer = town.telegram
    await says(customer, "/menu", "")
    await customer.share_location(-6.2, 106.8, live=True)
    await customer.next_reply()
    for step in range(5):
        assert await customer.move(-6.2, 106.8 + step / 100) == 200
    await says(customer, "alamatnya di mana?", "Fatmawati")
    assert len(_said(customer)) == 3


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_reaction_is_an_acknowledgement(town: Town, channel: str) -> None:
    """It agrees to nothing and changes nothing: the open question stays, and nothing is said."""
    customer = town.customer(channel)
    await says(customer, FLEET, "speaker")
    before = await _states(town)
    for emoji in ("👍", "", "❤"):
        assert await customer.react(emoji) == 200
    assert await _states(town) == before
    await says(customer, "alamatnya di mana?", "Fatmawati")
    assert len(_said(customer)) == 2


async def _states(town: Town) -> list[dict[str, Any]]:
    database = Database(town.settings.database.url)
    async with database.read() as session:
        states = list(await session.scalars(select(Conversation.state)))
    await database.close()
    return [state | {"heard": []} for state in states]  # what staff would be shown


async def test_a_whatsapp_card_isnt_read_as_a_number(town: Town) -> None:
    await says(town.whatsapp, "/menu", "")
    await town.whatsapp.share_contact("+628111000999", own=False)
    assert "Kartu kontaknya" in (await town.whatsapp.next_reply()).text


async def test_an_edit_of_the_last_message_counts(town: Town) -> None:
    customer = town.telegram
    await says(customer, "/menu", "")
    await says(customer, "jam bukanya?", "09")
    await customer.edit("alamatnya di mana?")
    assert "Fatmawati" in (await customer.next_reply()).text
    await customer.edit("jam bukanya?")  # and back again
    assert "09" in (await customer.next_reply()).text


async def test_an_edit_that_changes_nothing_is_not_answered_again(town: Town) -> None:
    """Telegram reports edits of which we see nothing; "ya" must not be taken twice."""
    customer = town.telegram
    await says(customer, "/menu", "")
    await says(customer, "jam bukanya?", "09")
    for _ in range(2):
        assert await customer.edit("jam bukanya? ") == 200
    await says(customer, "alamatnya di mana?", "Fatmawati")
    assert len(_said(customer)) == 3


async def test_a_late_edit_is_asked_to_be_written_again(town: Town) -> None:
    customer = town.telegram
    await says(customer, "/menu", "")
    await says(customer, "jam bukanya?", "09")
    town.clock.move(minutes=6)
    await customer.edit("alamatnya di mana?")
    assert "Tulis ulang ya" in (await customer.next_reply()).text


async def test_an_edit_of_an_older_message_is_asked_to_be_written_again(town: Town) -> None:
    customer = town.telegram
    await says(customer, "/menu", "")
    await says(customer, "jam bukanya?", "09")
    older = customer.bubbles[-2]
    await says(customer, "alamatnya di mana?", "Fatmawati")
    await customer.edit("jam tutupnya?", older)
    reply = (await customer.next_reply()).text
    assert "Tulis ulang ya" in reply
    await customer.tap("Chat dengan admin")
    await customer.next_reply()
    await customer.edit("alamat?")  # a tap came after it
    assert "Tulis ulang ya" in (await customer.next_reply()).text


async def test_an_edit_before_the_turn_is_part_of_it(closed_town: Town) -> None:
    server = closed_town.settings.server.model_copy(update={"gather_seconds": 2})
    closed_town.settings = closed_town.settings.model_copy(update={"server": server})
    customer = closed_town.telegram
    async with closed_town.open():
        await says(customer, "/menu", "")
        await customer.type("jam bukanya")
        await customer.edit("alamatnya di mana")
        closed_town.clock.move(seconds=3)
        reply = (await customer.next_reply()).text
        assert "Fatmawati" in reply
        assert "Tulis ulang" not in reply
    assert len(_said(customer)) == 2


async def test_relative_days_count_from_when_they_were_written(closed_town: Town) -> None:
    """ "besok jam 10" of Monday evening, which comes in on Tuesday, is Tuesday."""
    customer, clock = closed_town.telegram, closed_town.clock
    telegram = closed_town.settings.telegram.model_copy(update={"mode": "polling"})
    closed_town.settings = closed_town.settings.model_copy(update={"telegram": telegram})
    async with closed_town.open():
        await says(customer, "mau tuning audio di avanza 2018", "")
    clock.move(hours=12)  # Monday 20:00
    await customer.type("besok jam 15")
    clock.move(hours=13)  # Tuesday 09:00
    async with closed_town.open():
        await customer.next_reply()
    [state] = await _states(closed_town)
    answers = dict(state["answers"])
    assert (answers["date"], answers["time"]) == ("2026-11-24", "15:00")


async def test_a_day_that_is_over_by_now_is_refused_kindly(closed_town: Town) -> None:
    customer, clock = closed_town.telegram, closed_town.clock
    telegram = closed_town.settings.telegram.model_copy(update={"mode": "polling"})
    closed_town.settings = closed_town.settings.model_copy(update={"telegram": telegram})
    async with closed_town.open():
        await says(customer, "mau tuning audio di avanza 2018", "")
    clock.move(hours=12)
    await customer.type("besok")
    clock.move(hours=35)  # Wednesday 07:00
    async with closed_town.open():
        reply = (await customer.next_reply()).text
    assert "lewat" in reply
    [state] = await _states(closed_town)
    assert "date" not in dict(state["answers"])


async def test_voice_notes_arent_fetched_as_photos(town: Town) -> None:
    customer = town.whatsapp
    await says(customer, "/menu", "")
    await taps(customer, "Chat dengan admin", "admin")
    await sees(town.owner, "perlu dibantu langsung")
    await taps(town.owner, "Ambil alih chat", "sekarang dengan Anda")
    await customer.send_file("voice", "audio/ogg")
    await town.owner.next_reply()
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (9, 40, 40)).save(out, "JPEG")
    await customer.send_photo(out.getvalue())
    assert (await town.owner.next_reply()).media is not None
