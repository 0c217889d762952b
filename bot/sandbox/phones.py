"""The people on the phones: what they do, and the bubbles they see.

    Person ── deed ──> Network (a vendor's stand-in) ── HTTP, signed ──> our webhooks
    Person <── bubble ── Network <── the vendor's API, called by our server

A deed is vendor-neutral; the stand-in turns it into the vendor's update or form.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from bot.sandbox.markup import Parsed, plain
from bot.sandbox.stage import Media, Stage


@dataclass(frozen=True, slots=True)
class Button:
    """Something to tap under a bubble; `data` is what the vendor hands to the shop when it is tapped."""

    id: str
    title: str
    kind: Literal["callback", "url", "reply"]
    url: str | None = None
    data: str = ""

    def to_json(self) -> dict[str, str]:
        """The button as the page reads it."""
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
    """A WhatsApp list: what opens it, and its entries."""

    button: str
    items: tuple[Item, ...]

    def to_json(self) -> dict[str, Any]:
        """The list as the page reads it."""
        items = [{"id": item.id, "title": item.title, "description": item.description} for item in self.items]
        return {"button": self.button, "items": items}


@dataclass(frozen=True, slots=True)
class Key:
    """A key of Telegram's reply keyboard."""

    title: str
    kind: Literal["contact", "location", "text"]

    def to_json(self) -> dict[str, str]:
        """The key as the page reads it."""
        return {"title": self.title, "kind": self.kind}


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message on a phone; an edit replaces it, so a bubble kept from before still has its old buttons."""

    id: str
    author: Literal["me", "shop"]
    at: datetime
    kind: Literal["text", "photo", "document", "location", "contact"]
    text: str
    html: str
    buttons: tuple[tuple[Button, ...], ...] = ()
    menu: Menu | None = None
    keyboard: tuple[tuple[Key, ...], ...] | None = None
    """None leaves the reply keyboard that lies on the screen, () takes it away."""
    media: Media | None = None
    status: Literal["sent", "delivered", "read", "failed"] | None = None
    edited: bool = False

    def to_json(self) -> dict[str, Any]:
        """The bubble as the page reads it."""
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
    """Words were sent."""

    text: str


@dataclass(frozen=True, slots=True)
class Tapped:
    """A button or a list entry was tapped."""

    bubble: Bubble
    choice: Button | Item


@dataclass(frozen=True, slots=True)
class SharedContact:
    """A contact card was sent; `own` is whether it is the sender's."""

    phone: str
    own: bool


@dataclass(frozen=True, slots=True)
class SharedLocation:
    """A place was sent."""

    latitude: float
    longitude: float
    address: str | None


@dataclass(frozen=True, slots=True)
class SentPhoto:
    """A picture was sent."""

    media: Media


@dataclass(frozen=True, slots=True)
class Blocked:
    """The shop was blocked, or let in again."""

    on: bool


Deed = Typed | Tapped | SharedContact | SharedLocation | SentPhoto | Blocked


def own_bubble(deed: Deed, bubble_id: str, at: datetime, read: Callable[[str], Parsed]) -> Bubble:
    """What the sender sees of their own message; `read` is how the app reads marks in typed text."""
    bubble = Bubble(bubble_id, "me", at, "text", "", "", status="sent")
    match deed:
        case Typed(text):
            return replace(bubble, text=read(text).text, html=read(text).html)
        case Tapped(_, choice):
            return replace(bubble, text=choice.title, html=plain(choice.title).html)
        case SharedContact(phone):
            return replace(bubble, kind="contact", text=phone, html=plain(phone).html)
        case SharedLocation(latitude, longitude, address):
            text = address or f"{latitude}, {longitude}"
            return replace(bubble, kind="location", text=text, html=plain(text).html)
        case SentPhoto(media):
            return replace(bubble, kind="photo", media=media)
        case Blocked():
            raise TypeError("a block is no message")


class NotThere(LookupError):
    """Nothing like that can be tapped on this phone."""


class Person:
    """Someone with a phone. Each deed returns the status our webhook answered with, None if nothing was pushed.

    `times` delivers the same event that often, all at once, as vendors do when an answer is late.
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
        """Send words."""
        return await self._do(Typed(text), times)

    async def tap(self, title: str, bubble: "Bubble | str | None" = None, *, times: int = 1) -> int | None:
        """Tap what has this title (or id) on the given bubble, else on the newest bubble that has it."""
        if bubble is None:
            key = next((key for row in self.keyboard for key in row if key.title == title), None)
            if key is not None:
                return await self._press(key, times)
        return await self._do(Tapped(*self._find(title, bubble)), times)

    async def share_contact(self, phone: str | None = None, *, own: bool = True, times: int = 1) -> int | None:
        """Send one's own contact card, or with `own=False` somebody else's."""
        number = phone or self.phone
        if number is None:
            raise NotThere(f"{self.name} has no phone number to share")
        return await self._do(SharedContact(number, own), times)

    async def share_location(
        self, latitude: float, longitude: float, address: str | None = None, *, times: int = 1
    ) -> int | None:
        """Send a place."""
        return await self._do(SharedLocation(latitude, longitude, address), times)

    async def send_photo(self, content: bytes, content_type: str = "image/jpeg", *, times: int = 1) -> int | None:
        """Send a picture."""
        media = self.network.stage.keep(f"photo.{content_type.rpartition('/')[2]}", content_type, content)
        return await self._do(SentPhoto(media), times)

    async def block(self) -> int | None:
        """Block the shop: nothing reaches this phone any more."""
        self.blocked = True
        return await self._do(Blocked(on=True), 1)

    async def unblock(self) -> int | None:
        """Let the shop in again."""
        self.blocked = False
        return await self._do(Blocked(on=False), 1)

    def last(self) -> Bubble:
        """The newest bubble."""
        return self.bubbles[-1]

    @property
    def keyboard(self) -> tuple[tuple[Key, ...], ...]:
        """The reply keyboard that lies on the screen, if one does."""
        return next((bubble.keyboard for bubble in reversed(self.bubbles) if bubble.keyboard is not None), ())

    async def next_reply(self, timeout: float = 120) -> Bubble:  # noqa: ASYNC109 a test states how long it waits
        """The next bubble that the shop sent or edited since this person's last deed; TimeoutError after `timeout` s."""
        try:
            return await asyncio.wait_for(self._unread.get(), timeout)
        except TimeoutError:
            raise TimeoutError(f"no reply to {self.name} within {timeout} s; last: {self.bubbles[-1:]}") from None

    def unread(self) -> list[Bubble]:
        """What came since the last deed and wasn't taken by `next_reply`, without waiting."""
        return [self._unread.get_nowait() for _ in range(self._unread.qsize())]

    def see(self, bubble: Bubble) -> None:
        """A new bubble appears."""
        self.bubbles.append(bubble)
        if bubble.author == "shop":
            self._unread.put_nowait(bubble)
        self.network.tell(self, "bubble", bubble)

    def see_changed(self, bubble: Bubble, event: Literal["edit", "status"] = "edit") -> None:
        """A bubble changes in place."""
        self.bubbles = [bubble if known.id == bubble.id else known for known in self.bubbles]
        if event == "edit":
            self._unread.put_nowait(bubble)
        self.network.tell(self, event, bubble)

    def see_removed(self, bubble_id: str) -> None:
        """A bubble goes away."""
        gone = self.bubble(bubble_id)
        self.bubbles.remove(gone)
        self.network.tell(self, "delete", gone)

    def bubble(self, bubble_id: str) -> Bubble:
        """The bubble with this id; NotThere if the phone has none."""
        for bubble in self.bubbles:
            if bubble.id == bubble_id:
                return bubble
        raise NotThere(f"no bubble {bubble_id} on the phone of {self.name}")

    def to_json(self) -> dict[str, Any]:
        """The person as the page reads it."""
        return {
            "id": self.address,
            "name": self.name,
            "number": self.phone,
            "language": self.language,
            "blocked": self.blocked,
        }

    async def _do(self, deed: Deed, times: int) -> int | None:
        self.unread()
        return await self.network.carry(self, deed, times)

    async def _press(self, key: Key, times: int) -> int | None:
        if key.kind == "contact":
            return await self.share_contact(times=times)
        if key.kind == "location":
            raise NotThere("a location key needs a place: use share_location")
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
        there = [choice.title for candidate in within[-3:] for choice in _choices(candidate)]
        raise NotThere(f"nothing called {title!r} to tap on; there is {there}")


def _choices(bubble: Bubble) -> list[Button | Item]:
    tappable = [button for row in bubble.buttons for button in row if button.kind != "url"]
    return [*tappable, *(bubble.menu.items if bubble.menu else ())]


LetterT = TypeVar("LetterT")
"""What a vendor posts to us: an update, or a form."""


class Network(ABC, Generic[LetterT]):
    """One messenger: its people, and the way from what they do to our webhook."""

    name: Literal["telegram", "whatsapp"]

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.people: dict[str, Person] = {}
        self._held: list[tuple[LetterT, int]] | None = None

    async def carry(self, person: Person, deed: Deed, times: int = 1) -> int | None:
        """Put a deed on the person's own phone and bring it to the shop; the highest status of all deliveries."""
        if not isinstance(deed, Blocked):
            if person.blocked:
                raise NotThere(f"{person.name} has blocked the shop")
            person.last_wrote = self.stage.clock()
        letter = self.letter(person, deed)
        if letter is None:
            return None
        if self._held is not None:
            self._held.append((letter, times))
            return None
        return await self._deliver(letter, times)

    def hold(self) -> None:
        """Keep everything that people do until `release`."""
        self._held = []

    async def release(self) -> list[int | None]:
        """Deliver what was held, all at once; the answers in the order of the deeds."""
        held, self._held = self._held or [], None
        return list(await asyncio.gather(*(self._deliver(letter, times) for letter, times in held)))

    async def _deliver(self, letter: LetterT, times: int) -> int | None:
        answers = await asyncio.gather(*(self.deliver(letter) for _ in range(times)))
        return max((answer for answer in answers if answer is not None), default=None)

    def tell(self, person: Person, event: str, bubble: Bubble) -> None:
        """Tell the page."""
        self.stage.publish({"type": event, "phone": self.name, "person": person.address, "bubble": bubble.to_json()})

    def admit(self, person: Person) -> Person:
        """Take a person in."""
        self.people[person.address] = person
        return person

    @abstractmethod
    def letter(self, person: Person, deed: Deed) -> LetterT | None:
        """Show the deed on the person's phone and put it in the vendor's form; None when the vendor tells nobody."""

    @abstractmethod
    async def deliver(self, letter: LetterT) -> int | None:
        """Post to our webhook as the vendor does; the status answered, None when nothing was pushed or answered."""
