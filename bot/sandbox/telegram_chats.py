"""Telegram's side of the chats: its people, and the delivery of updates by webhook (with retries) or polling."""

import asyncio
import io
import itertools
from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import aiohttp
from PIL import Image, UnidentifiedImageError

from bot.sandbox.hub import Hub, Media
from bot.sandbox.markup import plain
from bot.sandbox.phones import (
    Action,
    Blocked,
    Button,
    Edited,
    FileKind,
    Message,
    Moved,
    Network,
    Person,
    Played,
    Reacted,
    SentFile,
    SentPhoto,
    SharedContact,
    SharedLocation,
    Tapped,
    Typed,
    own_bubble,
)

Update = dict[str, Any]
BOT = {"id": 7000000000, "is_bot": True, "first_name": "Bengkel (simulasi)", "username": "bengkel_simulasi_bot"}
WEBHOOK_TIMEOUT = 60
"""Seconds."""
_SIZE = {"width": 240, "height": 240, "duration": 3}
_FIELDS: dict[FileKind, dict[str, Any]] = {
    "voice": {"duration": 3},
    "audio": {"duration": 3},
    "video": _SIZE,
    "video_note": {"length": 240, "duration": 3},
    "animation": _SIZE,
    "sticker": {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False},
}
"""The other fields that the Bot API always sends."""
_POLL = {
    "id": "1",
    "question": "Warna apa?",
    "options": [{"persistent_id": "1", "text": "Hitam", "voter_count": 0}],
    "total_voter_count": 0,
    "is_closed": False,
    "is_anonymous": True,
    "type": "regular",
    "allows_multiple_answers": False,
    "allows_revoting": False,
    "members_only": False,
}


@dataclass
class RateLimit:
    """Rate limit per chat: about one message per second, with bursts."""

    burst: int = 20
    per_second: float = 1.0
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait(self, chat: str, now: float) -> int:
        """Count a message at `now` (s) and return 0, or return the seconds to wait if the burst is used up."""
        level, since = self._levels.get(chat, (0.0, now))
        level = max(0.0, level - (now - since) * self.per_second)
        if level + 1 > self.burst:
            return max(1, round((level + 1 - self.burst) / self.per_second))
        self._levels[chat] = (level + 1, now)
        return 0


@dataclass
class Webhook:
    """The parameters of setWebhook, and the last failed call."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    error: tuple[datetime, str] | None = None


class Telegram(Network[Update]):
    """The chats of one bot."""

    name = "telegram"

    def __init__(self, hub: Hub, retry_delays: tuple[float, ...] = (0.5, 1, 2, 5, 10, 30, 60)) -> None:
        super().__init__(hub)
        self.retry_delays = retry_delays
        """Seconds between attempts to deliver an update; the last delay repeats."""
        self.rate_limit: RateLimit | None = None
        """None: unlimited."""
        self.webhook = Webhook()
        self.allowed_updates: tuple[str, ...] = ()
        """The kinds of update that the bot receives; () is all."""
        self.pending: dict[int, Update] = {}
        self.arrived = asyncio.Event()
        self.messages: dict[tuple[str, int], dict[str, Any]] = {}
        """Messages in the Bot API's format, by chat and message id."""
        self.queries: dict[str, datetime] = {}
        """Times of taps, by callback query id."""
        self.files: dict[str, Media] = {}
        self.commands: dict[str, list[dict[str, str]]] = {}
        """From setMyCommands, by scope and language."""
        self.poll: asyncio.Future[None] | None = None
        """The waiting getUpdates call; a second call ends it."""
        self.next_update_id = 873_204_001
        """Telegram's update ids may have gaps; a test can change this to make one."""
        self.reactions: dict[str, str] = {}
        """The emoji under each message, by the message's id."""
        self._retrying: set[int] = set()
        self._queues: defaultdict[tuple[str, object], asyncio.Lock] = defaultdict(asyncio.Lock)
        """Telegram sends the next message or edit of a chat only after it got the answer to the one before; taps go
        beside them. Source: WebhookActor.cpp and Client.cpp in https://github.com/tdlib/telegram-bot-api
        """

    def person(
        self, user_id: int, name: str, *, language: str = "id", phone: str | None = None, started: bool = True
    ) -> Person:
        """Add a person; `started` is whether they have pressed the bot's Start button."""
        person = Person(self, str(user_id), name, phone=phone, language=language)
        person.last_wrote = self.hub.clock() if started else None
        return self.add(person)

    def payload(self, person: Person, action: Action) -> Update:
        """Build the update of an action."""
        match action:
            case Tapped():
                return self._update("callback_query", self._query(person, action))
            case Blocked():
                return self._update("my_chat_member", self._membership(person, action))
            case Reacted():
                return self._update("message_reaction", self._reaction(person, action))
            case Edited() | Moved():
                return self._update("edited_message", self._changed(person, action))
            case _:
                message = self.message(person, _user(person), self._content(person, action))
                person.show(own_bubble(action, str(message["message_id"]), self.hub.clock(), plain))
                return self._update("message", message)

    async def deliver(self, payload: Update) -> int | None:
        """Post an update to the webhook, with retries until it succeeds; without a webhook queue it for polling."""
        if self.allowed_updates and not payload.keys() & set(self.allowed_updates):
            return None
        self.pending[payload["update_id"]] = payload
        if not self.webhook.url:
            self.arrived.set()
            return None
        status = await self._post(payload)
        if payload["update_id"] in self.pending:
            self.hub.start(self._retry(payload, self.retry_delays))
        return status

    def deliver_pending(self) -> None:
        """Send the queued updates to a webhook that was just set."""
        for update in self.pending.values():
            self.hub.start(self._retry(update, (0, *self.retry_delays)))

    def message(self, person: Person, sender: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
        """Add a message to a chat and return it in the Bot API's format."""
        message_id = self.hub.next_number()
        message = {
            "message_id": message_id,
            "date": int(self.hub.clock().timestamp()),
            "chat": _chat(person),
            "from": sender,
        } | content
        self.messages[person.address, message_id] = message
        return message

    def photo_sizes(self, media: Media) -> list[dict[str, Any]]:
        """The PhotoSize values of a picture; raises ValueError if it isn't one."""
        try:
            width, height = Image.open(io.BytesIO(media.content)).size
        except UnidentifiedImageError:
            raise ValueError("not a picture") from None
        return [self.file(media) | {"width": width, "height": height}]

    def file(self, media: Media) -> dict[str, Any]:
        """Store a file and return its File object."""
        self.files[media.id] = media
        return {"file_id": media.id, "file_unique_id": f"unique-{media.id}", "file_size": len(media.content)}

    def _update(self, kind: str, content: dict[str, Any]) -> Update:
        update = {"update_id": self.next_update_id, kind: content}
        self.next_update_id += 1
        return update

    def _content(self, person: Person, action: Message) -> dict[str, Any]:
        match action:
            case Typed(text):
                commands = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
                return {"text": text} | ({"entities": commands} if text.startswith("/") else {})
            case SharedContact(phone, own):
                contact = {"phone_number": phone.removeprefix("+"), "first_name": person.name if own else "Teman"}
                return {"contact": contact | ({"user_id": int(person.address)} if own else {})}
            case SharedLocation(latitude, longitude, address, live):
                location = {"latitude": latitude, "longitude": longitude} | ({"live_period": 900} if live else {})
                venue = {"location": location, "title": address, "address": address}
                return {"location": location} | ({"venue": venue} if address else {})
            case SentPhoto(media) if media.content_type.startswith("audio/"):
                return self._file_content("voice", media)
            case SentPhoto(media, album, caption):
                said = ({"media_group_id": album} if album else {}) | ({"caption": caption} if caption else {})
                return {"photo": self.photo_sizes(media)} | said
            case SentFile(kind, media):
                return self._file_content(kind, media)
            case Played("dice"):
                return {"dice": {"emoji": "🎲", "value": 4}}
            case Played():
                return {"poll": _POLL}
            case Tapped():
                raise TypeError("a tap isn't a message")

    def _file_content(self, kind: FileKind, media: Media) -> dict[str, Any]:
        file = self.file(media) | {"mime_type": media.content_type}
        content = {kind: file | _FIELDS.get(kind, {})}
        return content | ({"document": file} if kind == "animation" else {})

    def _changed(self, person: Person, action: Edited | Moved) -> dict[str, Any]:
        """The message after the change, as it is sent now: a later change must not show in this update."""
        message = self.messages[person.address, int(action.bubble.id)]
        message["edit_date"] = int(self.hub.clock().timestamp())
        if isinstance(action, Moved):
            message["location"] |= {"latitude": action.latitude, "longitude": action.longitude}
        else:
            message["text"] = action.text
            shown = plain(action.text)
            person.update(replace(action.bubble, text=shown.text, html=shown.html, edited=True))
        return deepcopy(message)

    def _reaction(self, person: Person, action: Reacted) -> dict[str, Any]:
        def shown(emoji: str) -> list[dict[str, str]]:
            return [{"type": "emoji", "emoji": emoji}] if emoji else []

        before = self.reactions.get(action.bubble.id, "")
        self.reactions[action.bubble.id] = action.emoji
        return {
            "chat": _chat(person),
            "message_id": int(action.bubble.id),
            "user": _user(person),
            "date": int(self.hub.clock().timestamp()),
            "old_reaction": shown(before),
            "new_reaction": shown(action.emoji),
        }

    def _query(self, person: Person, action: Tapped) -> dict[str, Any]:
        query_id = str(self.hub.next_number())
        self.queries[query_id] = self.hub.clock()
        return {
            "id": query_id,
            "from": _user(person),
            "chat_instance": f"chat-{person.address}",
            "message": self.messages[person.address, int(action.bubble.id)],
            "data": action.choice.data if isinstance(action.choice, Button) else action.choice.id,
        }

    def _membership(self, person: Person, action: Blocked) -> dict[str, Any]:
        member = {"status": "member", "user": BOT}
        kicked = {"status": "kicked", "user": BOT, "until_date": 0}
        before, after = (member, kicked) if action.on else (kicked, member)
        return {
            "chat": _chat(person),
            "from": _user(person),
            "date": int(self.hub.clock().timestamp()),
            "old_chat_member": before,
            "new_chat_member": after,
        }

    async def _post(self, update: Update) -> int | None:
        """Post once, after what was sent before in this chat; a 2xx response removes the update from `pending`."""
        async with self._queues[_queue(update)]:
            return await self._post_now(update)

    async def _post_now(self, update: Update) -> int | None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook.secret} if self.webhook.secret else {}
        try:
            async with self.hub.http.post(
                self.webhook.url, json=update, headers=headers, timeout=aiohttp.ClientTimeout(total=WEBHOOK_TIMEOUT)
            ) as response:
                status, reason = (
                    response.status,
                    f"Wrong response from the webhook: {response.status} {response.reason}",
                )
        except aiohttp.ClientConnectionError:
            status, reason = None, "Connection refused"
        except TimeoutError:
            status, reason = None, "Read timeout expired"
        if status is not None and 200 <= status < 300:
            self.pending.pop(update["update_id"], None)
        else:
            self.webhook.error = (self.hub.clock(), reason)
        return status

    async def _retry(self, update: Update, delays: tuple[float, ...]) -> None:
        update_id = update["update_id"]
        if update_id in self._retrying:
            return
        self._retrying.add(update_id)
        for delay in itertools.chain(delays, itertools.repeat(delays[-1])):
            await asyncio.sleep(delay)
            if update_id not in self.pending or not self.webhook.url:
                break
            await self._post(update)
        self._retrying.discard(update_id)


def _queue(update: Update) -> tuple[str, object]:
    kind, content = next((kind, content) for kind, content in update.items() if kind != "update_id")
    is_message = kind in ("message", "edited_message")
    return ("chat", content["chat"]["id"]) if is_message else (kind, (content.get("from") or content.get("user"))["id"])


def _user(person: Person) -> dict[str, Any]:
    return {
        "id": int(person.address),
        "is_bot": False,
        "first_name": person.name,
        "language_code": person.language,
    }


def _chat(person: Person) -> dict[str, Any]:
    return {"id": int(person.address), "type": "private", "first_name": person.name}
