"""WhatsApp's side of the chats: its people, and Twilio's signed calls to our webhooks."""

import asyncio
import base64
import hmac
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import aiohttp

from bot.sandbox.markup import whatsapp
from bot.sandbox.phones import (
    Blocked,
    Deed,
    Item,
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

Form = dict[str, str]
WINDOW = timedelta(hours=24)
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
    """The Twilio account that plays: its credentials and its WhatsApp sender."""

    sid: str
    auth_token: str
    sender: str
    """E.164."""


@dataclass(slots=True)
class Message:
    """A message as Twilio keeps it."""

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
        """The message as the REST API shows it."""
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
    """The chats of one WhatsApp sender, as Twilio relays them."""

    name = "whatsapp"

    def __init__(self, stage: Stage, account: Account) -> None:
        super().__init__(stage)
        self.account = account
        self.inbound_url = ""
        """The public URL of our webhook, as it stands in Twilio's console; signatures are made over it."""
        self.messages: dict[str, Message] = {}
        self.in_order: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """One message of a chat is brought after the other."""

    def person(self, phone: str, name: str, *, hidden_as: str | None = None) -> Person:
        """A person with WhatsApp; the phone is E.164, `hidden_as` ("ID.4566…") shows in its place."""
        return self.admit(Person(self, f"whatsapp:{hidden_as or phone}", name, phone=phone))

    def in_window(self, person: Person) -> bool:
        """Whether free text may go: the person wrote within the last 24 hours."""
        return person.last_wrote is not None and self.stage.clock() - person.last_wrote <= WINDOW

    def letter(self, person: Person, deed: Deed) -> Form | None:
        """The form that tells of a deed; WhatsApp tells nobody about being blocked."""
        if isinstance(deed, Blocked):
            return None
        message = Message(
            self.sid("SM"), "inbound", person.address, f"whatsapp:{self.account.sender}", "", "received",
            self.stage.clock(),
        )  # fmt: skip
        person.see(own_bubble(deed, message.sid, message.at, whatsapp))
        about = self._about(person, deed, message)
        message.body = about["Body"]
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
        } | about

    async def deliver(self, letter: Form) -> int | None:
        """Post an inbound message to our webhook."""
        return await self.post(self.inbound_url, letter)

    async def post(self, url: str, form: Mapping[str, str]) -> int | None:
        """Post a signed form; a failed connection is tried once more, then the call is dropped (None)."""
        headers = {"X-Twilio-Signature": signature(self.account.auth_token, url, form)}
        for _ in range(2):
            try:
                async with self.stage.http.post(url, data=form, headers=headers) as response:
                    return response.status
            except (aiohttp.ClientError, TimeoutError):
                continue
        return None

    def sid(self, prefix: str) -> str:
        """A new SID of Twilio's form."""
        return f"{prefix}{self.stage.number():032x}"

    def media_url(self, message: Message, media: Media) -> str:
        """Where Twilio offers a file for download, with Basic auth."""
        account = f"{self.stage.url}/{API_VERSION}/Accounts/{self.account.sid}"
        return f"{account}/Messages/{message.sid}/Media/{media_sid(media)}"

    def _about(self, person: Person, deed: Deed, message: Message) -> Form:
        match deed:
            case Typed(text):
                return {"MessageType": "text", "Body": text}
            case Tapped(bubble, Item(item_id, title)):
                chosen = {"ListId": item_id, "ListTitle": title}
                return _answer(bubble.id, title) | chosen
            case Tapped(bubble, choice):
                chosen = {"ButtonPayload": choice.id, "ButtonText": choice.title}
                return _answer(bubble.id, choice.title) | chosen | {"MessageType": "button"}
            case SharedLocation(latitude, longitude, address):
                place = {"Latitude": str(latitude), "Longitude": str(longitude)}
                return {"MessageType": "location", "Body": ""} | place | ({"Address": address} if address else {})
            case SharedContact(phone):
                card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{person.name}\r\nTEL:{phone}\r\nEND:VCARD\r\n"
                return self._attached(message, self.stage.keep("contact.vcf", "text/vcard", card.encode()), "contacts")
            case SentPhoto(media):
                return self._attached(message, media, "image")
            case Blocked():
                raise TypeError("a block is no message")

    def _attached(self, message: Message, media: Media, kind: str) -> Form:
        message.media.append(media)
        links = {"MediaUrl0": self.media_url(message, media), "MediaContentType0": media.content_type}
        return {"MessageType": kind, "Body": ""} | links


def signature(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """Twilio's signature: HMAC-SHA1 over the URL and every parameter in order of its name.

    https://www.twilio.com/docs/usage/security#validating-requests
    """
    signed = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), "sha1")).decode()


def media_sid(media: Media) -> str:
    """A stored file's SID."""
    return f"ME{int(media.id.removeprefix('m')):032x}"


def _answer(replied_to: str, title: str) -> Form:
    return {"MessageType": "interactive", "Body": title, "OriginalRepliedMessageSid": replied_to}
