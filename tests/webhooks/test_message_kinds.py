"""Every kind of message that Telegram and Twilio bring: what it is, when it was written, and what can be passed on."""

from datetime import UTC, datetime
from typing import Any

import pytest
from telegram import Update

from conversations.incoming import Incoming, Kind
from webhooks import telegram, twilio

BUDI = {"id": 5, "is_bot": False, "first_name": "Budi", "language_code": "id"}
CHAT = {"id": 5, "type": "private"}
WRITTEN = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
EDITED = datetime(2026, 11, 22, 13, 2, tzinfo=UTC)
SIZE = {"width": 1, "height": 1, "duration": 1}
POLL = {
    "id": "1",
    "question": "?",
    "options": [],
    "total_voter_count": 0,
    "is_closed": False,
    "is_anonymous": True,
    "type": "regular",
    "allows_multiple_answers": False,
    "allows_revoting": False,
    "members_only": False,
}


def file(name: str, **fields: object) -> dict[str, Any]:
    return {"file_id": name, "file_unique_id": name} | fields


def on_telegram(*, under: str = "message", **content: Any) -> Incoming | None:
    message = {"message_id": 7, "date": int(WRITTEN.timestamp()), "chat": CHAT, "from": BUDI} | content
    return telegram.read(telegram.parse({"update_id": 900, under: message}))


def on_whatsapp(**fields: str) -> Incoming | None:
    return twilio.read({"MessageSid": "SM1", "From": "whatsapp:+6281234567890", "Body": ""} | fields)


@pytest.mark.parametrize(
    ("content", "kind", "media"),
    [
        ({"text": "halo"}, Kind.TEXT, ()),
        ({"photo": [file("p", width=9, height=9)]}, Kind.PHOTO, ("p",)),
        ({"document": file("d", mime_type="image/png")}, Kind.PHOTO, ("d",)),
        ({"document": file("d", mime_type="application/pdf")}, Kind.OTHER, ("d",)),
        ({"voice": file("v", duration=3)}, Kind.VOICE, ("v",)),
        ({"audio": file("a", duration=3)}, Kind.VOICE, ("a",)),
        ({"video": file("m", **SIZE)}, Kind.VIDEO, ("m",)),
        ({"video_note": file("n", length=1, duration=1)}, Kind.VIDEO, ("n",)),
        ({"animation": file("g", **SIZE), "document": file("g", mime_type="image/gif")}, Kind.VIDEO, ("g",)),
        ({"location": {"latitude": 1, "longitude": 2}}, Kind.LOCATION, ()),
        ({"location": {"latitude": 1, "longitude": 2, "live_period": 900}}, Kind.LOCATION, ()),
        ({"contact": {"phone_number": "628111", "first_name": "X"}}, Kind.CONTACT, ()),
        ({"poll": POLL}, Kind.OTHER, ()),
        ({"dice": {"emoji": "🎲", "value": 4}}, Kind.OTHER, ()),
    ],
)
def test_telegram_names_the_kind(content: dict[str, Any], kind: Kind, media: tuple[str, ...]) -> None:
    read = on_telegram(**content)
    assert read
    assert (read.kind, read.media) == (kind, media)
    assert (read.written_at, read.message_id, read.edited) == (WRITTEN, "7", False)
    assert telegram.read_kept(read.raw) == read


@pytest.mark.parametrize(
    ("fields", "kind", "has_media"),
    [
        ({"Body": "halo", "MessageType": "text"}, Kind.TEXT, False),
        ({"Body": "halo"}, Kind.TEXT, False),
        ({"MessageType": "image", "MediaContentType0": "image/jpeg"}, Kind.PHOTO, True),
        ({"MediaContentType0": "audio/ogg"}, Kind.VOICE, True),
        ({"MessageType": "video", "MediaContentType0": "video/mp4"}, Kind.VIDEO, True),
        ({"MessageType": "sticker", "MediaContentType0": "image/webp"}, Kind.STICKER, True),
        ({"MediaContentType0": "text/x-vcard"}, Kind.CONTACT, True),
        ({"MessageType": "document", "MediaContentType0": "application/pdf"}, Kind.OTHER, True),
        ({"Latitude": "-6.2", "Longitude": "106.8"}, Kind.LOCATION, False),
        ({"MessageType": "reaction", "Body": "👍"}, Kind.REACTION, False),
        ({"MessageType": "unsupported"}, Kind.OTHER, False),
    ],
)
def test_twilio_names_the_kind(fields: dict[str, str], kind: Kind, has_media: bool) -> None:
    url = {"MediaUrl0": "https://api.twilio.com/m"} if has_media else {}
    read = on_whatsapp(**fields, **url)
    assert read
    assert (read.kind, read.media) == (kind, tuple(url.values()))
    assert read.written_at is None, "when the webhook came"


def test_a_listed_whatsapp_message_has_its_time() -> None:
    read = on_whatsapp(Body="besok", DateSent="2026-11-22T20:00:00+07:00")
    assert read
    assert read.written_at == WRITTEN
    odd = on_whatsapp(Body="besok", DateSent="yesterday")
    assert odd
    assert odd.written_at is None


def test_an_edit_says_what_it_changes() -> None:
    read = on_telegram(under="edited_message", text="jam 10", edit_date=int(EDITED.timestamp()))
    assert read
    assert (read.text, read.edited, read.message_id) == ("jam 10", True, "7")
    assert (read.first_written_at, read.written_at) == (WRITTEN, EDITED)
    caption = on_telegram(under="edited_message", photo=[file("p", width=9, height=9)], caption="bukti")
    assert caption
    assert (caption.text, caption.kind) == ("bukti", Kind.PHOTO)


@pytest.mark.parametrize(
    "content",
    [
        {"location": {"latitude": 1, "longitude": 2, "live_period": 900}},  # a live location moves
        {"location": {"latitude": 1, "longitude": 2}},  # and stops
        {"photo": [file("p", width=9, height=9)]},  # another picture without words
        {"text": "halo", "chat": {"id": -7, "type": "group", "title": "Grup"}},
    ],
)
def test_other_edits_are_ignored(content: dict[str, Any]) -> None:
    assert on_telegram(under="edited_message", edit_date=int(EDITED.timestamp()), **content) is None


def _reaction(old: str, new: str, **fields: object) -> Incoming | None:
    def emojis(text: str) -> list[dict[str, str]]:
        return [{"type": "emoji", "emoji": each} for each in text]

    content = {"chat": CHAT, "message_id": 7, "user": BUDI, "date": int(WRITTEN.timestamp())}
    content |= {"old_reaction": emojis(old), "new_reaction": emojis(new)} | fields
    return telegram.read(telegram.parse({"update_id": 901, "message_reaction": content}))


def test_a_new_reaction_is_a_message() -> None:
    read = _reaction("", "👍")
    assert read
    assert (read.kind, read.text, read.address, read.event_id) == (Kind.REACTION, "👍", "5", "901")
    changed = _reaction("👍", "❤")
    assert changed
    assert changed.text == "❤"


@pytest.mark.parametrize(
    "reaction",
    [
        _reaction("👍", ""),  # taken away
        _reaction("👍", "👍"),  # nothing new
        _reaction("", "👍", chat={"id": -7, "type": "group", "title": "Grup"}),
        _reaction("", "👍", user=None),  # in the name of a chat
        _reaction("", "", new_reaction=[{"type": "custom_emoji", "custom_emoji_id": "1"}]),
    ],
)
def test_other_reactions_are_ignored(reaction: Incoming | None) -> None:
    assert reaction is None


def test_what_is_read_is_subscribed_to() -> None:
    assert set(telegram.ALLOWED_UPDATES) == {"message", "edited_message", "callback_query", "message_reaction"}
    assert set(telegram.ALLOWED_UPDATES) <= set(Update.ALL_TYPES)
