"""Telegram's updates: read, ignored or refused."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from telegram import Update

from conversations.incoming import Incoming, Place
from webhooks import telegram
from webhooks.app import make_app

SECRET = "a-secret_token"
BUDI = {"id": 5, "is_bot": False, "first_name": "Budi", "last_name": "Santoso", "language_code": "id"}
CHAT = {"id": 5, "type": "private"}
GROUP = {"id": -7, "type": "group", "title": "Grup"}


@dataclass
class Inbox:
    client: TestClient[Any, Any]
    taken: list[Incoming] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    away: bool = False

    async def take(self, incoming: Incoming) -> None:
        if self.away:
            raise ConnectionRefusedError
        self.taken.append(incoming)

    async def post(self, update: Any, secret: str | None = SECRET) -> int:
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret is not None else {}
        content = {"data": io.BytesIO(update)} if isinstance(update, bytes) else {"json": update}
        async with self.client.post("/webhooks/telegram", headers=headers, **content) as response:
            return response.status

    async def incoming(self, **message: Any) -> Incoming:
        assert await self.post(update(**message)) == 200
        [taken] = self.taken
        return taken


def update(**message: Any) -> dict[str, Any]:
    return {"update_id": 900, "message": {"message_id": 1, "date": 1, "chat": CHAT, "from": BUDI} | message}


def tap(data: str = "12:1", **message: Any) -> dict[str, Any]:
    keyboard = {
        "inline_keyboard": [[{"text": "Ya", "callback_data": "12:0"}, {"text": "Tidak", "callback_data": "12:1"}]]
    }
    shown = {"message_id": 1, "date": 1, "chat": CHAT, "text": "?", "reply_markup": keyboard} | message
    return {
        "update_id": 901,
        "callback_query": {"id": "q9", "from": BUDI, "chat_instance": "c", "data": data, "message": shown},
    }


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    inbox = Inbox(None)  # type: ignore[arg-type]
    routes = telegram.routes(secret=SECRET, take=inbox.take, answer=inbox.answered.append)

    async def ready() -> dict[str, str]:
        return {}

    async with TestClient(TestServer(make_app(routes, ready=ready))) as client:
        inbox.client = client
        yield inbox


@pytest.mark.parametrize("secret", [None, "", "a-secret_toke", "a-secret_tokenn", "å"])
async def test_update_without_the_secret_is_refused(inbox: Inbox, secret: str | None) -> None:
    assert await inbox.post(update(text="halo"), secret) == 403
    assert inbox.taken == []


@pytest.mark.parametrize(
    "body",
    [
        b"",  # nothing
        b"{",  # half of it
        b"\xff\xfe",  # no text
        b"[" * 100_000,  # nested too deeply
        b'{"update_id": ' + b"9" * 5_000 + b"}",  # a number with too many digits
        [],  # JSON, but no object
        {},  # no update
        {"update_id": "900"},  # a malformed id
    ],
)
async def test_malformed_update_is_refused(inbox: Inbox, body: Any) -> None:
    assert await inbox.post(body) == 400
    assert inbox.taken == []


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "halo"},  # a malformed message
        {"message": {"chat": 5}},  # half a message
        {"callback_query": {"id": "q"}},  # half a tap
        {"message": {"message_id": 1, "date": 10**30, "chat": {"id": 5, "type": "private"}}},  # a date that can't be
    ],
)
async def test_update_that_cannot_be_read_is_kept(inbox: Inbox, fields: dict[str, Any]) -> None:
    body = {"update_id": 900} | fields
    assert await inbox.post(body) == 200
    [taken] = inbox.taken
    assert (taken.event_id, taken.address, taken.raw) == ("900", "", body)
    assert taken.unread is not None


async def test_two_mebibytes_are_refused(inbox: Inbox) -> None:
    assert await inbox.post(b" " * 2 * 1024 * 1024) == 413


async def test_text_comes_with_sender_chat_and_language(inbox: Inbox) -> None:
    taken = await inbox.incoming(text="  mau pasang\x00 speaker \u0007")
    assert (taken.channel, taken.address, taken.event_id) == ("telegram", "5", "900")
    assert (taken.text, taken.name, taken.language) == ("mau pasang speaker", "Budi Santoso", "id")
    assert taken.raw["message"]["from"]["id"] == 5


async def test_command_is_text_with_its_payload(inbox: Inbox) -> None:
    assert (await inbox.incoming(text="/start abc")).text == "/start abc"


async def test_long_text_is_cut(inbox: Inbox) -> None:
    assert len((await inbox.incoming(text="🎉" * 10_000)).text or "") == 2000


@pytest.mark.parametrize(
    ("contact", "phone", "text"),
    [
        ({"user_id": 5, "phone_number": "6281234567890"}, "+6281234567890", None),  # one's own
        ({"user_id": 5, "phone_number": "+62 812-3456-7890"}, "+6281234567890", None),  # formatted
        ({"user_id": 6, "phone_number": "6281234567890"}, None, "6281234567890"),  # someone else's: like typed text
        ({"phone_number": "6281234567890"}, None, "6281234567890"),  # from the address book
        ({"user_id": 5, "phone_number": "123"}, None, "123"),  # no number
    ],
)
async def test_only_own_contact_proves_a_phone(
    inbox: Inbox, contact: dict[str, Any], phone: str | None, text: str | None
) -> None:
    taken = await inbox.incoming(contact=contact | {"first_name": "X"})
    assert (taken.phone, taken.text) == (phone, text)


async def test_a_location_and_a_venue_are_places(inbox: Inbox) -> None:
    spot = {"latitude": -6.29, "longitude": 106.79}
    assert (await inbox.incoming(location=spot)).place == Place(-6.29, 106.79)
    inbox.taken.clear()
    venue = {"location": spot, "title": "Rumah", "address": "Jl. Melati 3"}
    assert (await inbox.incoming(location=spot, venue=venue)).place == Place(-6.29, 106.79, "Rumah, Jl. Melati 3")


async def test_photos_largest_size_and_caption_are_used(inbox: Inbox) -> None:
    sizes = [
        {"file_id": name, "file_unique_id": name, "width": side, "height": side}
        for name, side in (("small", 90), ("large", 1280), ("middle", 320))
    ]
    taken = await inbox.incoming(photo=sizes, caption="bukti transfer")
    assert (taken.media, taken.text) == (("large",), "bukti transfer")


async def test_document_is_media_and_sticker_is_empty_text(inbox: Inbox) -> None:
    """The other kinds: tests/webhooks/test_message_kinds.py."""
    assert (await inbox.incoming(document={"file_id": "doc", "file_unique_id": "d"})).media == ("doc",)
    inbox.taken.clear()
    kind = {"type": "regular", "is_animated": False, "is_video": False, "width": 1, "height": 1}
    taken = await inbox.incoming(sticker={"file_id": "s", "file_unique_id": "s"} | kind)
    assert (taken.media, taken.text) == ((), None)


async def test_tap_is_a_choice_with_its_label(inbox: Inbox) -> None:
    assert await inbox.post(tap()) == 200
    [taken] = inbox.taken
    assert (taken.choice, taken.text, taken.address, taken.event_id) == ("12:1", "Tidak", "5", "901")
    assert inbox.answered == ["q9"]


async def test_tap_on_an_inaccessible_message_is_a_choice(inbox: Inbox) -> None:
    gone = tap()
    gone["callback_query"]["message"] = {"message_id": 1, "date": 0, "chat": CHAT}
    assert await inbox.post(gone) == 200
    assert (inbox.taken[0].choice, inbox.taken[0].text) == ("12:1", None)


@pytest.mark.parametrize(
    "ignored",
    [
        {"update_id": 1, "edited_message": update(text="halo", chat=GROUP)["message"]},  # an edit in a group
        update(text="halo", chat=GROUP),  # a group
        {
            "update_id": 1,
            "channel_post": {"message_id": 1, "date": 1, "chat": {"id": -8, "type": "channel"}, "text": "x"},
        },
        update(message_auto_delete_timer_changed={"message_auto_delete_time": 60}),  # a service message
        {"update_id": 1, "something_new": {"x": 1}},  # an unknown type
        update(text="halo", **{"from": None}),  # no sender
    ],
)
async def test_other_updates_are_ignored(inbox: Inbox, ignored: dict[str, Any]) -> None:
    assert await inbox.post(ignored) == 200
    assert inbox.taken == []


async def test_telegram_retries_while_the_database_is_away(inbox: Inbox) -> None:
    inbox.away = True
    assert await inbox.post(tap()) == 503
    assert inbox.answered == []


async def test_update_that_read_fails_on_is_kept() -> None:
    """Telegram left out a field that the library promises: polling goes on, and nothing is lost."""
    taken: list[Incoming] = []

    async def take(incoming: Incoming) -> None:
        taken.append(incoming)

    photo = {"file_id": "a", "file_unique_id": "a", "width": None, "height": 1}
    odd = Update.de_json(update(photo=[photo]), None)
    await telegram.take_update(odd, take=take, answer=lambda _: None)
    [kept] = taken
    assert isinstance(kept.unread, TypeError)
    assert (kept.address, kept.event_id, kept.raw["update_id"]) == ("5", "900", 900)
