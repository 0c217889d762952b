"""WhatsApp's side of the chats: its people, and Twilio's signed requests to our webhooks."""

import asyncio
import base64
import hmac
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import aiohttp

from bot.sandbox.hub import Hub, Media
from bot.sandbox.markup import whatsapp
from bot.sandbox.phones import (
    Action,
    Blocked,
    Edited,
    FileKind,
    Item,
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

Form = dict[str, str]
WINDOW = timedelta(hours=24)
_TYPES: dict[FileKind, str] = {"voice": "audio", "video_note": "video", "animation": "video"}
"""`MessageType` where WhatsApp's name differs."""
API_VERSION = "2010-04-01"
ERRORS = {
    63003: "Channel could not find To address",
    63016: "Failed to send freeform message because you are outside the allowed window. Please use a Message Template.",
    63019: "Media failed to download",
    63021: "Channel invalid content error",
}
"""https://www.twilio.com/docs/api/errors"""


@dataclass(frozen=True, slots=True)
class Account:
    """A Twilio account: its credentials and its WhatsApp sender."""

    sid: str
    auth_token: str
    sender: str
    """E.164."""


@dataclass(slots=True)
class Message:
    """A message in the Twilio account."""

    sid: str
    direction: Literal["inbound", "outbound-api"]
    sender: str
    to: str
    body: str
    status: str
    at: datetime
    callback: str = ""
    media: list[Media] = field(default_factory=list)
    error: int | None = None

    def to_json(self, account_sid: str) -> dict[str, Any]:
        """The message in the REST API's format."""
        uri = f"/{API_VERSION}/Accounts/{account_sid}/Messages/{self.sid}"
        at = self.at.strftime("%a, %d %b %Y %H:%M:%S +0000")
        return {
            "sid": self.sid,
            "account_sid": account_sid,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": at,
            "date_sent": at,
            "date_updated": at,
            "direction": self.direction,
            "error_code": self.error,
            "error_message": ERRORS[self.error] if self.error else None,
            "from": self.sender,
            "to": self.to,
            "messaging_service_sid": None,
            "num_media": str(len(self.media)),
            "num_segments": "1",
            "price": None,
            "price_unit": None,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "uri": f"{uri}.json",
        }


class WhatsApp(Network[Form]):
    """The chats of one WhatsApp sender."""

    name = "whatsapp"

    def __init__(self, hub: Hub, account: Account) -> None:
        super().__init__(hub)
        self.account = account
        self.inbound_url = ""
        """The public URL of our webhook in Twilio's console, which the signatures cover."""
        self.messages: dict[str, Message] = {}
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By address: messages to one chat are processed one after the other."""

    def person(self, phone: str, name: str, *, whatsapp_id: str | None = None) -> Person:
        """Add a person; the phone is E.164. A `whatsapp_id` ("ID.4566…") replaces the number in the address."""
        return self.add(Person(self, f"whatsapp:{whatsapp_id or phone}", name, phone=phone))

    def in_window(self, person: Person) -> bool:
        """Whether free text is allowed: the person wrote within the last 24 hours."""
        return person.last_wrote is not None and self.hub.clock() - person.last_wrote <= WINDOW

    def payload(self, person: Person, action: Action) -> Form | None:
        """Build the form of an action; None for what Twilio doesn't report: blocks, edits, moving locations."""
        if isinstance(action, Blocked | Edited | Moved):
            return None
        message = Message(
            self.sid("SM"), "inbound", person.address, f"whatsapp:{self.account.sender}", "", "received",
            self.hub.clock(),
        )  # fmt: skip
        if not isinstance(action, Reacted):
            person.show(own_bubble(action, message.sid, message.at, whatsapp))
        fields = self._fields(person, action, message)
        message.body = fields["Body"]
        self.messages[message.sid] = message
        return {
            "AccountSid": self.account.sid,
            "ApiVersion": API_VERSION,
            "From": message.sender,
            "To": message.to,
            "MessageSid": message.sid,
            "SmsMessageSid": message.sid,
            "SmsSid": message.sid,
            "SmsStatus": "received",
            "NumSegments": "1",
            "NumMedia": str(len(message.media)),
            "ReferralNumMedia": "0",
            "ProfileName": person.name,
            "WaId": person.address.removeprefix("whatsapp:").removeprefix("+"),
        } | fields

    async def deliver(self, payload: Form) -> int | None:
        """Post an inbound message to the webhook."""
        return await self.post(self.inbound_url, payload)

    async def post(self, url: str, form: Mapping[str, str]) -> int | None:
        """Post a signed form with one retry; returns the status, None if both attempts fail."""
        headers = {"X-Twilio-Signature": signature(self.account.auth_token, url, form)}
        for _ in range(2):
            try:
                async with self.hub.http.post(url, data=form, headers=headers) as response:
                    return response.status
            except (aiohttp.ClientError, TimeoutError):
                continue
        return None

    def sid(self, prefix: str) -> str:
        """A new SID in Twilio's format."""
        return f"{prefix}{self.hub.next_number():032x}"

    def media_url(self, message: Message, media: Media) -> str:
        """The download URL of a file, which needs Basic auth."""
        account = f"{self.hub.url}/{API_VERSION}/Accounts/{self.account.sid}"
        return f"{account}/Messages/{message.sid}/Media/{media_sid(media)}"

    def _fields(self, person: Person, action: Action, message: Message) -> Form:
        match action:
            case Typed(text):
                return {"MessageType": "text", "Body": text}
            case Tapped(bubble, Item(item_id, title)):
                chosen = {"ListId": item_id, "ListTitle": title}
                return _reply_fields(bubble.id, title) | chosen
            case Tapped(bubble, choice):
                chosen = {"ButtonPayload": choice.id, "ButtonText": choice.title}
                return _reply_fields(bubble.id, choice.title) | chosen | {"MessageType": "button"}
            case SharedLocation(latitude, longitude, address):
                place = {"Latitude": str(latitude), "Longitude": str(longitude)}
                return {"MessageType": "location", "Body": ""} | place | ({"Address": address} if address else {})
            case SharedContact(phone):
                card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{person.name}\r\nTEL:{phone}\r\nEND:VCARD\r\n"
                return self._media_fields(
                    message, self.hub.store("contact.vcf", "text/vcard", card.encode()), "contacts"
                )
            case SentPhoto(media, caption=caption):
                return self._media_fields(message, media, "image") | {"Body": caption}
            case SentFile(kind, media):
                return self._media_fields(message, media, _TYPES.get(kind, kind))
            case Played():
                return {"MessageType": "unsupported", "Body": ""}
            case Reacted(bubble, emoji):  # not documented
                return {"MessageType": "reaction", "Body": emoji, "OriginalRepliedMessageSid": bubble.id}
            case Blocked() | Edited() | Moved():
                raise TypeError("Twilio doesn't report this")

    def _media_fields(self, message: Message, media: Media, kind: str) -> Form:
        message.media.append(media)
        links = {"MediaUrl0": self.media_url(message, media), "MediaContentType0": media.content_type}
        return {"MessageType": kind, "Body": ""} | links


def signature(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """Twilio's signature: HMAC-SHA1 over the URL and all parameters, sorted by name.

    https://www.twilio.com/docs/usage/security#validating-requests
    """
    signed = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), "sha1")).decode()


def media_sid(media: Media) -> str:
    return f"ME{int(media.id.removeprefix('m')):032x}"


def _reply_fields(replied_to: str, title: str) -> Form:
    return {"MessageType": "interactive", "Body": title, "OriginalRepliedMessageSid": replied_to}
