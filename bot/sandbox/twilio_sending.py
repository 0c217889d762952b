"""What happens to a WhatsApp message after Twilio queued it.

queued ── WhatsApp turns it down → failed + ErrorCode
       └─ its files: HEAD, GET, GET ── sent ── delivered ── read      each step told to the StatusCallback
"""

from dataclasses import replace
from typing import Literal

import aiohttp

from bot.sandbox.markup import whatsapp
from bot.sandbox.phones import Bubble, Person
from bot.sandbox.twilio_chats import API_VERSION, Message, WhatsApp
from bot.sandbox.twilio_content import Content, Rendered, refused_in_session

MEGABYTE = 1024 * 1024
MEDIA_TYPES = {
    "image/jpeg": 5 * MEGABYTE,
    "image/png": 5 * MEGABYTE,
    "image/webp": MEGABYTE // 10,
    "application/pdf": 16 * MEGABYTE,
    "text/vcard": 16 * MEGABYTE,
    "video/mp4": 16 * MEGABYTE,
    "audio/ogg": 16 * MEGABYTE,
    "audio/mpeg": 16 * MEGABYTE,
}
"""What WhatsApp takes, and its most bytes: https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages"""


async def carry_out(chats: WhatsApp, message: Message, content: Content | None, rendered: Rendered) -> None:
    """Bring a queued message to the phone, one message of a chat after the other."""
    async with chats.in_order[message.to]:
        await _tell(chats, message, "queued")
        person = chats.people.get(message.to)
        error = _refusal(chats, person, content) or await _fetch(chats, message, rendered)
        if error or person is None:
            message.error = error
            await _tell(chats, message, "failed")
            return
        await _tell(chats, message, "sent")
        if person.blocked:
            return  # WhatsApp doesn't say so: the second tick never comes
        bubble = _bubble(message, rendered)
        person.see(bubble)
        for status in ("delivered", "read"):
            person.see_changed(replace(bubble, status=status), "status")
            await _tell(chats, message, status)


def _refusal(chats: WhatsApp, person: Person | None, content: Content | None) -> int | None:
    """The code with which WhatsApp turns a message down, if it does."""
    approved = content is not None and content.approved
    if person is None:
        return 63003 if approved else 63016
    if not approved and not chats.in_window(person):
        return 63016
    return 63021 if content is not None and refused_in_session(content) else None


async def _fetch(chats: WhatsApp, message: Message, rendered: Rendered) -> int | None:
    """Look at each file with HEAD, get it twice as Twilio and WhatsApp do, and keep it; a code if that fails."""
    for link in rendered.media:
        for method in ("HEAD", "GET", "GET"):
            try:
                async with chats.stage.http.request(method, link) as response:
                    content = await response.read()
            except (aiohttp.ClientError, TimeoutError):
                return 63019
            size = len(content) if method == "GET" else int(response.headers.get("Content-Length", "0"))
            if error := _unacceptable(response, size):
                return error
        disposition = response.content_disposition
        name = (disposition and disposition.filename) or response.url.name
        message.media.append(chats.stage.keep(name, response.content_type, content))
    return None


def _unacceptable(response: aiohttp.ClientResponse, size: int) -> int | None:
    if response.status != 200:
        return 63019
    if size > MEDIA_TYPES.get(response.content_type, -1):
        return 63021
    return None


async def _tell(chats: WhatsApp, message: Message, status: str) -> None:
    message.status = status
    if not message.callback:
        return
    form = {
        "AccountSid": chats.account.sid,
        "ApiVersion": API_VERSION,
        "ChannelPrefix": "whatsapp",
        "From": message.sender,
        "To": message.to,
        "MessageSid": message.sid,
        "MessageStatus": status,
        "SmsSid": message.sid,
        "SmsStatus": status,
    }
    form |= {"ErrorCode": str(message.error)} if message.error else {}
    form |= {"EventType": status.upper()} if status in ("delivered", "read") else {}
    await chats.post(message.callback, form)


def _bubble(message: Message, rendered: Rendered) -> Bubble:
    media = message.media[0] if message.media else None
    kind: Literal["text", "photo", "document"] = (
        "text" if media is None else "photo" if media.content_type.startswith("image/") else "document"
    )
    said = whatsapp(rendered.body)
    return Bubble(
        message.sid, "shop", message.at, kind, said.text, said.html,
        buttons=rendered.buttons, menu=rendered.menu, media=media, status="sent",
    )  # fmt: skip
