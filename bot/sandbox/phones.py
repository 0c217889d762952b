"""People with phones: what they do, and the bubbles they see.

    Person ── action ──> Network (a vendor's stand-in) ── HTTP, signed ──> our webhooks
    Person <── bubble ── Network <── the vendor's API, called by our server

An action is vendor-neutral; the network turns it into the vendor's update or form.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from bot.sandbox.hub import Hub, Media
from bot.sandbox.markup import Parsed, plain


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a bubble; `data` is what the vendor sends to the shop when it is tapped."""

    id: str
    title: str
    kind: Literal["callback", "url", "reply"]
    url: str | None = None
    data: str = ""

    def to_json(self) -> dict[str, str]:
        """The button in the page's JSON format."""
        shown = {"id": self.id, "title": self.title, "kind": self.kind}
        return shown | ({"url": self.url} if self.url else {})


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a WhatsApp list."""

    id: str
    title: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Menu:
    """A WhatsApp list: the button that opens it, and its entries."""

    button: str
    items: tuple[Item, ...]

    def to_json(self) -> dict[str, Any]:
        """The list in the page's JSON format."""
        items = [{"id": item.id, "title": item.title, "description": item.description} for item in self.items]
        return {"button": self.button, "items": items}


@dataclass(frozen=True, slots=True)
class Key:
    """A key of Telegram's reply keyboard."""

    title: str
    kind: Literal["contact", "location", "text"]

    def to_json(self) -> dict[str, str]:
        """The key in the page's JSON format."""
        return {"title": self.title, "kind": self.kind}


@dataclass(frozen=True, slots=True)
class Bubble:
    """A message on a phone. An edit replaces it, so an older reference still has the old buttons."""

    id: str
    author: Literal["me", "shop"]
    at: datetime
    kind: Literal["text", "photo", "document", "location", "contact"]
    text: str
    html: str
    buttons: tuple[tuple[Button, ...], ...] = ()
    menu: Menu | None = None
    keyboard: tuple[tuple[Key, ...], ...] | None = None
    """None leaves the reply keyboard as it is, () removes it."""
    media: Media | None = None
    status: Literal["sent", "delivered", "read", "failed"] | None = None
    edited: bool = False

    def to_json(self) -> dict[str, Any]:
        """The bubble in the page's JSON format."""
        return {
            "id": self.id,
            "from": self.author,
            "at": self.at.isoformat(),
            "kind": self.kind,
            "text": self.text,
            "html": self.html,
            "buttons": [[button.to_json() for button in row] for row in self.buttons],
            "list": self.menu.to_json() if self.menu else None,
            "keyboard": [[key.to_json() for key in row] for row in self.keyboard]
            if self.keyboard is not None
            else None,
            "document": _document(self.media) if self.media and self.kind == "document" else None,
            "photo": {"url": self.media.url} if self.media and self.kind == "photo" else None,
            "status": self.status,
            "edited": self.edited,
        }


def _document(media: Media) -> dict[str, Any]:
    return {"name": media.name, "url": media.url, "type": media.content_type, "size": len(media.content)}


@dataclass(frozen=True, slots=True)
class Typed:
    """The person sent text."""

    text: str


@dataclass(frozen=True, slots=True)
class Tapped:
    """The person tapped a button or a list entry."""

    bubble: Bubble
    choice: Button | Item


@dataclass(frozen=True, slots=True)
class SharedContact:
    """The person sent a contact card; `own` is whether it is theirs."""

    phone: str
    own: bool


@dataclass(frozen=True, slots=True)
class SharedLocation:
    """The person sent a location; a live one moves with the person."""

    latitude: float
    longitude: float
    address: str | None
    live: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """The person moved while they share their live location."""

    bubble: Bubble
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class SentPhoto:
    """The person sent a picture, with words below it; those of one album have the same name."""

    media: Media
    album: str | None = None
    caption: str = ""


FileKind = Literal["voice", "audio", "video", "video_note", "animation", "sticker", "document"]


@dataclass(frozen=True, slots=True)
class SentFile:
    """The person sent something else to hear, to see or to keep."""

    kind: FileKind
    media: Media


@dataclass(frozen=True, slots=True)
class Played:
    """The person sent a poll or threw dice."""

    what: Literal["poll", "dice"]


@dataclass(frozen=True, slots=True)
class Edited:
    """The person changed a message of theirs."""

    bubble: Bubble
    text: str


@dataclass(frozen=True, slots=True)
class Reacted:
    """The person put an emoji under a message; an empty one takes it away."""

    bubble: Bubble
    emoji: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """The person blocked the shop (`on`) or unblocked it."""

    on: bool


Message = Typed | Tapped | SharedContact | SharedLocation | SentPhoto | SentFile | Played
Change = Moved | Edited | Reacted | Blocked
"""Shows no bubble of its own."""
Action = Message | Change


def own_bubble(action: Message, bubble_id: str, at: datetime, parse: Callable[[str], Parsed]) -> Bubble:
    """The sender's own bubble; `parse` reads the app's markup in typed text."""
    bubble = Bubble(bubble_id, "me", at, "text", "", "", status="sent")
    match action:
        case Typed(text):
            return replace(bubble, text=parse(text).text, html=parse(text).html)
        case Tapped(_, choice):
            return replace(bubble, text=choice.title, html=plain(choice.title).html)
        case SharedContact(phone):
            return replace(bubble, kind="contact", text=phone, html=plain(phone).html)
        case SharedLocation(latitude, longitude, address):
            text = address or f"{latitude}, {longitude}"
            return replace(bubble, kind="location", text=text, html=plain(text).html)
        case SentPhoto(media, caption=words):
            return replace(bubble, kind="photo", media=media, text=words, html=plain(words).html)
        case SentFile(_, media):
            return replace(bubble, kind="document", media=media)
        case Played(what):
            return replace(bubble, text=what, html=what)


class ActionImpossible(LookupError):
    """The person can't do this on the phone now."""


class Person:
    """A person with a phone. Each action returns the webhook's status, None if nothing was delivered.

    `times` delivers the same event several times at once, as vendors do when a response is late.
    """

    def __init__(
        self, network: "Network[Any]", address: str, name: str, *, phone: str | None = None, language: str = "id"
    ) -> None:
        self.network = network
        self.address = address
        self.name = name
        self.phone = phone
        self.language = language
        self.blocked = False
        self.last_wrote: datetime | None = None
        self.bubbles: list[Bubble] = []
        self._unread: asyncio.Queue[Bubble] = asyncio.Queue()

    async def type(self, text: str, *, times: int = 1) -> int | None:
        return await self._do(Typed(text), times)

    async def tap(self, title: str, bubble: "Bubble | str | None" = None, *, times: int = 1) -> int | None:
        """Tap the button or entry with this title or id, on the given bubble or the newest that has it."""
        if bubble is None:
            key = next((key for row in self.keyboard for key in row if key.title == title), None)
            if key is not None:
                return await self._press(key, times)
        return await self._do(Tapped(*self._find(title, bubble)), times)

    async def share_contact(self, phone: str | None = None, *, own: bool = True, times: int = 1) -> int | None:
        """Send the person's own contact card, or somebody else's with `own=False`."""
        number = phone or self.phone
        if number is None:
            raise ActionImpossible(f"{self.name} has no phone number to share")
        return await self._do(SharedContact(number, own), times)

    async def share_location(
        self, latitude: float, longitude: float, address: str | None = None, *, live: bool = False, times: int = 1
    ) -> int | None:
        return await self._do(SharedLocation(latitude, longitude, address, live), times)

    async def move(self, latitude: float, longitude: float) -> int | None:
        """Move with the newest message, a live location."""
        return await self._do(Moved(self._own(), latitude, longitude), 1)

    async def send_photo(
        self, content: bytes, content_type: str = "image/jpeg", *, caption: str = "", times: int = 1
    ) -> int | None:
        media = self.network.hub.store(f"photo.{content_type.rpartition('/')[2]}", content_type, content)
        return await self._do(SentPhoto(media, caption=caption), times)

    async def send_album(self, *contents: bytes) -> list[int | None]:
        """Send several pictures at once; returns the status of each."""
        hub = self.network.hub
        album = f"album-{hub.next_number()}"
        photos = [SentPhoto(hub.store("photo.jpeg", "image/jpeg", content), album) for content in contents]
        return list(await asyncio.gather(*(self._do(photo, 1) for photo in photos)))

    async def send_file(self, kind: FileKind, content_type: str, content: bytes = b"OggS") -> int | None:
        media = self.network.hub.store(f"{kind}.{content_type.rpartition('/')[2]}", content_type, content)
        return await self._do(SentFile(kind, media), 1)

    async def play(self, what: Literal["poll", "dice"]) -> int | None:
        return await self._do(Played(what), 1)

    async def edit(self, text: str, bubble: Bubble | None = None, *, times: int = 1) -> int | None:
        """Change the newest message of the person's own, or the given one."""
        return await self._do(Edited(bubble or self._own(), text), times)

    async def react(self, emoji: str) -> int | None:
        """Put an emoji under the newest message; "" takes it away."""
        return await self._do(Reacted(self.last(), emoji), 1)

    async def block(self) -> int | None:
        """Block the shop, so that no message of it arrives."""
        self.blocked = True
        return await self._do(Blocked(on=True), 1)

    async def unblock(self) -> int | None:
        self.blocked = False
        return await self._do(Blocked(on=False), 1)

    def last(self) -> Bubble:
        return self.bubbles[-1]

    @property
    def keyboard(self) -> tuple[tuple[Key, ...], ...]:
        """The rows of the reply keyboard on the screen."""
        return next((bubble.keyboard for bubble in reversed(self.bubbles) if bubble.keyboard is not None), ())

    async def next_reply(self, timeout: float = 120) -> Bubble:  # noqa: ASYNC109 a test states how long it waits
        """The next bubble that the shop sent or edited since the person's last action; TimeoutError after `timeout` s."""
        try:
            return await asyncio.wait_for(self._unread.get(), timeout)
        except TimeoutError:
            raise TimeoutError(f"no reply to {self.name} within {timeout} s; last: {self.bubbles[-1:]}") from None

    def unread(self) -> list[Bubble]:
        """The bubbles since the last action that `next_reply` didn't return; doesn't wait."""
        return [self._unread.get_nowait() for _ in range(self._unread.qsize())]

    def show(self, bubble: Bubble) -> None:
        """Add a bubble."""
        self.bubbles.append(bubble)
        if bubble.author == "shop":
            self._unread.put_nowait(bubble)
        self.network.publish(self, "bubble", bubble)

    def update(self, bubble: Bubble, event: Literal["edit", "status"] = "edit") -> None:
        """Replace the bubble with the same id."""
        self.bubbles = [bubble if known.id == bubble.id else known for known in self.bubbles]
        if event == "edit" and bubble.author == "shop":
            self._unread.put_nowait(bubble)
        self.network.publish(self, event, bubble)

    def remove(self, bubble_id: str) -> None:
        """Remove a bubble."""
        gone = self.bubble(bubble_id)
        self.bubbles.remove(gone)
        self.network.publish(self, "delete", gone)

    def bubble(self, bubble_id: str) -> Bubble:
        """The bubble with this id; raises ActionImpossible if there is none."""
        for bubble in self.bubbles:
            if bubble.id == bubble_id:
                return bubble
        raise ActionImpossible(f"no bubble {bubble_id} on the phone of {self.name}")

    def to_json(self) -> dict[str, Any]:
        """The person in the page's JSON format."""
        return {
            "id": self.address,
            "name": self.name,
            "number": self.phone,
            "language": self.language,
            "blocked": self.blocked,
        }

    def _own(self) -> Bubble:
        return next(bubble for bubble in reversed(self.bubbles) if bubble.author == "me")

    async def _do(self, action: Action, times: int) -> int | None:
        self.unread()
        return await self.network.send(self, action, times)

    async def _press(self, key: Key, times: int) -> int | None:
        if key.kind == "contact":
            return await self.share_contact(times=times)
        if key.kind == "location":
            raise ActionImpossible("use share_location for a location key")
        return await self.type(key.title, times=times)

    def _find(self, title: str, bubble: "Bubble | str | None") -> tuple[Bubble, Button | Item]:
        if bubble is None:
            within: Sequence[Bubble] = self.bubbles
        else:
            within = [self.bubble(bubble) if isinstance(bubble, str) else bubble]
        for candidate in reversed(within):
            for choice in _choices(candidate):
                if title in (choice.title, choice.id):
                    return candidate, choice
        titles = [choice.title for candidate in within[-3:] for choice in _choices(candidate)]
        raise ActionImpossible(f"no button {title!r}; there are {titles}")


def _choices(bubble: Bubble) -> list[Button | Item]:
    tappable = [button for row in bubble.buttons for button in row if button.kind != "url"]
    return [*tappable, *(bubble.menu.items if bubble.menu else ())]


PayloadT = TypeVar("PayloadT")
"""What a vendor posts to a webhook: an update or a form."""


class Network(ABC, Generic[PayloadT]):
    """One messenger: its people, and the delivery of their actions to our webhook."""

    name: Literal["telegram", "whatsapp"]

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.people: dict[str, Person] = {}
        self.held: list[tuple[PayloadT, int]] | None = None

    async def send(self, person: Person, action: Action, times: int = 1) -> int | None:
        """Show an action on the person's phone and deliver it; returns the highest status of all deliveries."""
        if not isinstance(action, Blocked):
            if person.blocked:
                raise ActionImpossible(f"{person.name} has blocked the shop")
            person.last_wrote = self.hub.clock()
        payload = self.payload(person, action)
        if payload is None:
            return None
        if self.held is not None:
            self.held.append((payload, times))
            return None
        return await self._deliver(payload, times)

    def hold(self) -> None:
        """Queue all deliveries until `release`."""
        self.held = []

    async def release(self) -> list[int | None]:
        """Deliver everything held at once; returns the statuses in the order of the actions."""
        held, self.held = self.held or [], None
        return list(await asyncio.gather(*(self._deliver(payload, times) for payload, times in held)))

    async def _deliver(self, payload: PayloadT, times: int) -> int | None:
        statuses = await asyncio.gather(*(self.deliver(payload) for _ in range(times)))
        return max((status for status in statuses if status is not None), default=None)

    def publish(self, person: Person, event: str, bubble: Bubble) -> None:
        self.hub.publish({"type": event, "phone": self.name, "person": person.address, "bubble": bubble.to_json()})

    def add(self, person: Person) -> Person:
        self.people[person.address] = person
        return person

    @abstractmethod
    def payload(self, person: Person, action: Action) -> PayloadT | None:
        """Show the action on the person's phone and build the vendor's payload; None if the vendor doesn't report it."""

    @abstractmethod
    async def deliver(self, payload: PayloadT) -> int | None:
        """Post to our webhook as the vendor does; returns its status, None if nothing was posted or answered."""
