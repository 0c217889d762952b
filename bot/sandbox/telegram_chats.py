"""Telegram's side of the chats: its people, and how updates reach the bot (a webhook, repeated until taken, or polling)."""

import asyncio
import io
import itertools
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
from PIL import Image, UnidentifiedImageError

from bot.sandbox.markup import plain
from bot.sandbox.phones import (
    Blocked,
    Button,
    Deed,
    Network,
    Person,
    SentPhoto,
    SharedContact,
    SharedLocation,
    Tapped,
    Typed,
    own_bubble,
)
from bot.sandbox.stage import Media, Stage

Update = dict[str, Any]
BOT = {"id": 7000000000, "is_bot": True, "first_name": "Bengkel (simulasi)", "username": "bengkel_simulasi_bot"}
ANSWER_WITHIN = 60
"""Seconds that Telegram waits for a webhook."""


@dataclass
class Pace:
    """How fast a chat may be written to: about a message a second, with bursts."""

    burst: int = 20
    per_second: float = 1.0
    _spent: dict[str, tuple[float, float]] = field(default_factory=dict)

    def spend(self, chat: str, now: float) -> int:
        """Count one message at `now` (s); when the burst is used up, the seconds to wait instead."""
        level, since = self._spent.get(chat, (0.0, now))
        level = max(0.0, level - (now - since) * self.per_second)
        if level + 1 > self.burst:
            return max(1, round((level + 1 - self.burst) / self.per_second))
        self._spent[chat] = (level + 1, now)
        return 0


@dataclass
class Webhook:
    """What setWebhook was given, and how the last failed call went."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    error: tuple[datetime, str] | None = None


class Telegram(Network[Update]):
    """The chats of one bot, as Telegram keeps them."""

    name = "telegram"

    def __init__(self, stage: Stage, repeat_after: tuple[float, ...] = (0.5, 1, 2, 5, 10, 30, 60)) -> None:
        super().__init__(stage)
        self.repeat_after = repeat_after
        """Seconds before an update that wasn't taken is sent again; the last pause goes on."""
        self.pace: Pace | None = None
        """None: as fast as one likes."""
        self.webhook = Webhook()
        self.allowed_updates: tuple[str, ...] = ()
        """The kinds of update that the bot asked for; () is all."""
        self.pending: dict[int, Update] = {}
        self.arrived = asyncio.Event()
        self.messages: dict[tuple[str, int], dict[str, Any]] = {}
        """What was said, by chat and message id, as the Bot API shows it."""
        self.queries: dict[str, datetime] = {}
        """Taps by their query id."""
        self.files: dict[str, Media] = {}
        self.commands: dict[str, list[dict[str, str]]] = {}
        """setMyCommands, by scope and language."""
        self.poll: asyncio.Future[None] | None = None
        """The getUpdates call that is waiting; a second one ends it."""
        self.next_update_id = 873_204_001
        """Telegram's own may jump; a test can make these jump too."""
        self._repeating: set[int] = set()

    def person(
        self, user_id: int, name: str, *, language: str = "id", phone: str | None = None, started: bool = True
    ) -> Person:
        """A person with Telegram; `started` is whether they have ever pressed the bot's Start."""
        person = Person(self, str(user_id), name, phone=phone, language=language)
        person.last_wrote = self.stage.clock() if started else None
        return self.admit(person)

    def letter(self, person: Person, deed: Deed) -> Update:
        """The update that tells of a deed."""
        match deed:
            case Tapped():
                return self._update("callback_query", self._query(person, deed))
            case Blocked():
                return self._update("my_chat_member", self._membership(person, deed))
            case _:
                message = self.message(person, _user(person), self._content(person, deed))
                person.see(own_bubble(deed, str(message["message_id"]), self.stage.clock(), plain))
                return self._update("message", message)

    async def deliver(self, letter: Update) -> int | None:
        """Post an update to the webhook, and again and again until it is taken; without a webhook it waits for polling."""
        if self.allowed_updates and not letter.keys() & set(self.allowed_updates):
            return None
        self.pending[letter["update_id"]] = letter
        if not self.webhook.url:
            self.arrived.set()
            return None
        status = await self._post(letter)
        if letter["update_id"] in self.pending:
            self.stage.start(self._repeat(letter, self.repeat_after))
        return status

    def deliver_pending(self) -> None:
        """A webhook was set: what waited goes there."""
        for update in self.pending.values():
            self.stage.start(self._repeat(update, (0, *self.repeat_after)))

    def message(self, person: Person, sender: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
        """A new message in a chat, as the Bot API shows it."""
        message_id = self.stage.number()
        message = {
            "message_id": message_id,
            "date": int(self.stage.clock().timestamp()),
            "chat": _chat(person),
            "from": sender,
        } | content
        self.messages[person.address, message_id] = message
        return message

    def photo_sizes(self, media: Media) -> list[dict[str, Any]]:
        """A picture as PhotoSize values; ValueError if it is none."""
        try:
            width, height = Image.open(io.BytesIO(media.content)).size
        except UnidentifiedImageError:
            raise ValueError("not a picture") from None
        return [self.file(media) | {"width": width, "height": height}]

    def file(self, media: Media) -> dict[str, Any]:
        """The handle of a file, for getFile."""
        self.files[media.id] = media
        return {"file_id": media.id, "file_unique_id": f"unique-{media.id}", "file_size": len(media.content)}

    def _update(self, kind: str, content: dict[str, Any]) -> Update:
        update = {"update_id": self.next_update_id, kind: content}
        self.next_update_id += 1
        return update

    def _content(self, person: Person, deed: Deed) -> dict[str, Any]:
        match deed:
            case Typed(text):
                commands = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
                return {"text": text} | ({"entities": commands} if text.startswith("/") else {})
            case SharedContact(phone, own):
                contact = {"phone_number": phone.removeprefix("+"), "first_name": person.name if own else "Teman"}
                return {"contact": contact | ({"user_id": int(person.address)} if own else {})}
            case SharedLocation(latitude, longitude, address):
                location = {"latitude": latitude, "longitude": longitude}
                venue = {"location": location, "title": address, "address": address}
                return {"location": location} | ({"venue": venue} if address else {})
            case SentPhoto(media):
                return {"photo": self.photo_sizes(media)}
            case Tapped() | Blocked():
                raise TypeError("a tap and a block are no messages")

    def _query(self, person: Person, deed: Tapped) -> dict[str, Any]:
        query_id = str(self.stage.number())
        self.queries[query_id] = self.stage.clock()
        return {
            "id": query_id,
            "from": _user(person),
            "chat_instance": f"chat-{person.address}",
            "message": self.messages[person.address, int(deed.bubble.id)],
            "data": deed.choice.data if isinstance(deed.choice, Button) else deed.choice.id,
        }

    def _membership(self, person: Person, deed: Blocked) -> dict[str, Any]:
        member = {"status": "member", "user": BOT}
        kicked = {"status": "kicked", "user": BOT, "until_date": 0}
        before, after = (member, kicked) if deed.on else (kicked, member)
        return {
            "chat": _chat(person),
            "from": _user(person),
            "date": int(self.stage.clock().timestamp()),
            "old_chat_member": before,
            "new_chat_member": after,
        }

    async def _post(self, update: Update) -> int | None:
        """Post once; a 2xx takes the update off the list."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook.secret} if self.webhook.secret else {}
        try:
            async with self.stage.http.post(
                self.webhook.url, json=update, headers=headers, timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN)
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
            self.webhook.error = (self.stage.clock(), reason)
        return status

    async def _repeat(self, update: Update, pauses: tuple[float, ...]) -> None:
        update_id = update["update_id"]
        if update_id in self._repeating:
            return
        self._repeating.add(update_id)
        for pause in itertools.chain(pauses, itertools.repeat(pauses[-1])):
            await asyncio.sleep(pause)
            if update_id not in self.pending or not self.webhook.url:
                break
            await self._post(update)
        self._repeating.discard(update_id)


def _user(person: Person) -> dict[str, Any]:
    return {
        "id": int(person.address),
        "is_bot": False,
        "first_name": person.name,
        "language_code": person.language,
    }


def _chat(person: Person) -> dict[str, Any]:
    return {"id": int(person.address), "type": "private", "first_name": person.name}
