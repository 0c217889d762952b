"""One thought written in several messages is one turn, on the real webhooks of both channels and by polling.

The clock of the server stands still until a test moves it: nothing is answered before its time, and nothing waits.
"""

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from booking_by_phone import sees, taps
from PIL import Image
from sqlalchemy import func, select
from town import Town

from bot.sandbox.phones import Person
from core.db.tables import Inbound

CHANNELS = ["telegram", "whatsapp"]
THOUGHT = ("kak", "alamatnya", "di mana ya")
"""Only together they ask for the address."""
only_on_sqlite = pytest.mark.parametrize("closed_town", ["sqlite"], indirect=True)


def _gathering(town: Town, **telegram: object) -> Town:
    server = town.settings.server.model_copy(update={"gather_seconds": 2})
    messenger = town.settings.telegram.model_copy(update=telegram)
    town.settings = town.settings.model_copy(update={"server": server, "telegram": messenger})
    return town


@pytest.fixture
async def patient(closed_town: Town) -> AsyncIterator[Town]:
    """A shop that waits two seconds for more."""
    async with _gathering(closed_town).open():
        yield closed_town


def _said(person: Person) -> list[str]:
    return [bubble.text for bubble in person.bubbles if bubble.author == "shop"]


async def _received(town: Town, person: Person, *, held: bool = False) -> int:
    """How many messages of a person are known, or wait for their turn."""
    query = select(func.count()).where(Inbound.address == person.address)
    if held:
        query = query.where(Inbound.due_at.is_not(None))
    return await town.rows(query)


async def _knows(town: Town, customer: Person) -> None:
    """The customer is known and sees the menu."""
    await customer.type("/menu")
    await customer.next_reply()


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_thought_in_three_messages_is_one_turn(patient: Town, channel: str) -> None:
    customer = patient.customer(channel)
    await _knows(patient, customer)
    for words in THOUGHT:
        assert await customer.type(words) == 200
    assert await _received(patient, customer, held=True) == 3, "stored before the vendor has its answer"
    assert len(_said(customer)) == 1
    patient.clock.move(seconds=3)
    await sees(customer, "Fatmawati")
    assert len(_said(customer)) == 2
    assert (await _received(patient, customer), await _received(patient, customer, held=True)) == (4, 0)


@only_on_sqlite
async def test_without_gathering_each_message_is_a_turn(closed_town: Town) -> None:
    """The control: what the setting 0 does."""
    async with closed_town.open():
        customer = closed_town.telegram
        await _knows(closed_town, customer)
        for words in THOUGHT:
            await customer.type(words)
            await customer.next_reply()
    assert len(_said(customer)) == 1 + len(THOUGHT)


@pytest.mark.parametrize("channel", CHANNELS)
async def test_repeated_parts_are_recognised(patient: Town, channel: str) -> None:
    """Each part comes three times before the turn, and again with a new message after it."""
    customer = patient.customer(channel)
    await _knows(patient, customer)
    network = patient.there.world.network(channel)
    network.hold()
    for words in THOUGHT:
        await customer.type(words, times=3)
    parts = [payload for payload, _ in network.held or ()]
    assert await network.release() == [200] * 3
    patient.clock.move(seconds=3)
    await sees(customer, "Fatmawati")
    for part in parts:
        assert await network.deliver(part) == 200
    await customer.type("jam buka?")
    assert await network.deliver(parts[0]) == 200
    assert await _received(patient, customer, held=True) == 1
    patient.clock.move(seconds=3)
    await sees(customer, "09")
    assert len(_said(customer)) == 3
    assert await _received(patient, customer) == 5


@only_on_sqlite
@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_tap_ends_the_gathering(patient: Town, channel: str) -> None:
    """The words before it are answered first, and neither waits (what is tapped by then may be an older question)."""
    customer = patient.customer(channel)
    await _knows(patient, customer)
    for words in THOUGHT:
        await customer.type(words)
    await customer.tap("Chat dengan admin")
    assert "Fatmawati" in (await customer.next_reply()).text
    assert "Fatmawati" not in (await customer.next_reply()).text
    assert len(_said(customer)) == 3


@only_on_sqlite
async def test_a_command_ends_the_gathering(patient: Town) -> None:
    customer = patient.telegram
    await _knows(patient, customer)
    await customer.type("alamatnya")
    await customer.type("/help")
    assert "Fatmawati" in (await customer.next_reply()).text
    assert "Fatmawati" not in (await customer.next_reply()).text


@only_on_sqlite
async def test_a_number_is_answered_at_once(patient: Town) -> None:
    customer = patient.whatsapp
    await _knows(patient, customer)
    await customer.type("1")
    await customer.next_reply()


@only_on_sqlite
async def test_the_tenth_message_is_answered_with_the_others(patient: Town) -> None:
    customer = patient.telegram
    await _knows(patient, customer)
    for number in range(9):
        await customer.type(f"halo kak {number}")
    assert len(_said(customer)) == 1
    await customer.type("alamatnya di mana ya")
    await sees(customer, "Fatmawati")
    assert len(_said(customer)) == 2


@only_on_sqlite
async def test_a_burst_lasts_six_seconds(patient: Town) -> None:
    customer = patient.telegram
    await _knows(patient, customer)
    for number in range(4):
        await customer.type(f"alamatnya kak {number}")
        patient.clock.move(seconds=1.6)
    await sees(customer, "Fatmawati")
    assert await _received(patient, customer, held=True) == 0


@only_on_sqlite
async def test_a_question_waits_half_as_long(patient: Town) -> None:
    customer = patient.telegram
    await _knows(patient, customer)
    await customer.type("alamatnya di mana?")
    patient.clock.move(seconds=1.1)
    await sees(customer, "Fatmawati")


@only_on_sqlite
async def test_chats_are_gathered_apart(patient: Town) -> None:
    others = [patient.there.world.new_customer(channel) for channel in CHANNELS * 2]
    for customer in others:
        await _knows(patient, customer)
    for words in THOUGHT:
        await asyncio.gather(*(customer.type(words) for customer in others))
    patient.clock.move(seconds=3)
    for customer in others:
        await sees(customer, "Fatmawati")
        assert len(_said(customer)) == 2


async def test_polling_gathers_too(closed_town: Town) -> None:
    """An update is confirmed once it is stored."""
    async with _gathering(closed_town, mode="polling").open():
        customer = closed_town.telegram
        await _knows(closed_town, customer)
        for words in THOUGHT:
            await customer.type(words)
        await closed_town.until(select(func.count()).where(Inbound.due_at.is_not(None)), 3)
        closed_town.clock.move(seconds=3)
        await sees(customer, "Fatmawati")
    assert len(_said(customer)) == 2


async def test_a_stop_leaves_nothing_unanswered(closed_town: Town) -> None:
    """What was held when the server stopped is answered after the next start, in one turn."""
    customer = _gathering(closed_town).whatsapp
    async with closed_town.open():
        await _knows(closed_town, customer)
        for words in THOUGHT:
            await customer.type(words)
    assert len(_said(customer)) == 1
    closed_town.clock.move(hours=1)
    async with closed_town.open():
        await sees(customer, "Fatmawati")
    assert len(_said(customer)) == 2


@only_on_sqlite
@pytest.mark.parametrize("channel", CHANNELS)
async def test_an_album_is_one_message(patient: Town, channel: str) -> None:
    customer = patient.customer(channel)
    await _knows(patient, customer)
    assert await customer.send_album(*(_picture(shade) for shade in (10, 20, 30))) == [200] * 3
    patient.clock.move(seconds=3)
    await customer.next_reply()
    assert len(_said(customer)) == 2


@only_on_sqlite
@pytest.mark.parametrize("channel", CHANNELS)
async def test_an_album_goes_to_the_admin_whole(patient: Town, channel: str) -> None:
    customer, owner = patient.customer(channel), patient.owner
    await _knows(patient, customer)
    await taps(customer, "Chat dengan admin", "admin")
    await sees(owner, "perlu dibantu langsung")
    await taps(owner, "Ambil alih chat", "sekarang dengan Anda")
    pictures = [_picture(shade) for shade in (10, 20, 30)]
    await customer.send_album(*pictures)
    await customer.type("ini kak")
    patient.clock.move(seconds=3)
    await sees(owner, "ini kak")
    shown = [await owner.next_reply() for _ in pictures]
    assert [bubble.media and bubble.media.content for bubble in shown] == pictures


def _picture(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (shade, 40, 40)).save(out, "JPEG")
    return out.getvalue()
