"""Processing of a queued WhatsApp message.

queued ── WhatsApp rejects it → failed + ErrorCode
       └─ its files: HEAD, GET, GET ── sent ── delivered ── read      each step is reported to the StatusCallback
"""

from dataclasses import replace
from typing import Literal

import aiohttp

from bot.sandbox.markup import whatsapp
from bot.sandbox.phones import Bubble, Person
from bot.sandbox.twilio_chats import API_VERSION, Message, WhatsApp
from bot.sandbox.twilio_content import Content, Rendered, session_rejection

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
"""Accepted media types and their maximum bytes: https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages"""


async def process(chats: WhatsApp, message: Message, content: Content | None, rendered: Rendered) -> None:
    """Deliver a queued message to the phone; messages of one chat are processed in order."""
    async with chats.locks[message.to]:
        await _report_status(chats, message, "queued")
        person = chats.people.get(message.to)
        error = _rejection(chats, person, content) or await _fetch(chats, message, rendered)
        if error or person is None:
            message.error = error
            await _report_status(chats, message, "failed")
            return
        await _report_status(chats, message, "sent")
        if person.blocked:
            return  # WhatsApp doesn't report a block; the message is never delivered
        bubble = _bubble(message, rendered)
        person.show(bubble)
        for status in ("delivered", "read"):
            person.update(replace(bubble, status=status), "status")
            await _report_status(chats, message, status)


def _rejection(chats: WhatsApp, person: Person | None, content: Content | None) -> int | None:
    """The error code with which WhatsApp rejects the message, if it does."""
    approved = content is not None and content.approved
    if person is None:
        return 63003 if approved else 63016
    if not approved and not chats.in_window(person):
        return 63016
    return 63021 if content is not None and session_rejection(content) else None


async def _fetch(chats: WhatsApp, message: Message, rendered: Rendered) -> int | None:
    """Fetch each file by HEAD and two GETs, as Twilio and WhatsApp do, and store it; returns an error code on failure."""
    for link in rendered.media:
        for method in ("HEAD", "GET", "GET"):
            try:
                async with chats.hub.http.request(method, link) as response:
                    content = await response.read()
            except (aiohttp.ClientError, TimeoutError):
                return 63019
            size = len(content) if method == "GET" else int(response.headers.get("Content-Length", "0"))
            if error := _file_error(response, size):
                return error
        disposition = response.content_disposition
        name = (disposition and disposition.filename) or response.url.name
        message.media.append(chats.hub.store(name, response.content_type, content))
    return None


def _file_error(response: aiohttp.ClientResponse, size: int) -> int | None:
    if response.status != 200:
        return 63019
    if size > MEDIA_TYPES.get(response.content_type, -1):
        return 63021
    return None


async def _report_status(chats: WhatsApp, message: Message, status: str) -> None:
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
    parsed = whatsapp(rendered.body)
    return Bubble(
        message.sid, "shop", message.at, kind, parsed.text, parsed.html,
        buttons=rendered.buttons, menu=rendered.menu, media=media, status="sent",
    )  # fmt: skip
