"""Telegram's updates: POST /webhooks/telegram, authenticated by its secret token; polling reads the same updates."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web
from telegram import CallbackQuery, Message, MessageReactionUpdated, ReactionTypeEmoji, Update, User

from conversations.incoming import Incoming, Kind, Place, clean
from webhooks.app import is_same

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "message_reaction")
"""The updates that `read` understands."""

# Without it the library warns that durations will become timedeltas, even from its own code.
os.environ.setdefault("PTB_TIMEDELTA", "true")

Take = Callable[[Incoming], Awaitable[None]]
Answer = Callable[[str], None]
"""Stops a tapped button's spinner, in the background."""


def routes(*, secret: str, take: Take, answer: Answer) -> list[web.RouteDef]:
    """The webhook: 403 without the secret, 400 for what is no update, 200 once the turn is committed.

    An update that can't be read is kept and answered 200 too, or Telegram would send it again and again.
    """

    async def receive(request: web.Request) -> web.Response:
        if not is_same(request.headers.get("X-Telegram-Bot-Api-Secret-Token", ""), secret):
            raise web.HTTPForbidden
        try:
            payload = await request.json()
        except ValueError as error:  # also for a number with more digits than Python parses
            raise web.HTTPBadRequest from error
        if not isinstance(payload, dict) or not isinstance(payload.get("update_id"), int):
            raise web.HTTPBadRequest
        await take_payload(payload, take=take, answer=answer)
        return web.Response()

    return [web.post("/webhooks/telegram", receive)]


class NoUpdate(ValueError):
    pass


def parse(payload: Mapping[str, Any]) -> Update:
    """An update from Telegram's JSON; raises `NoUpdate` if python-telegram-bot can't read it."""
    try:
        return Update.de_json(dict(payload), None)
    except Exception as error:
        # Whatever the library makes of a field that it doesn't expect.
        raise NoUpdate from error


async def take_payload(payload: Mapping[str, Any], *, take: Take, answer: Answer) -> None:
    """Take an update as Telegram sent it, with its id; one that can't be read is kept as it came."""
    try:
        update = parse(payload)
    except NoUpdate as bug:
        await take(Incoming("telegram", "", str(payload["update_id"]), raw=payload, unread=bug))
    else:
        await take_update(update, take=take, answer=answer)


async def take_update(update: Update, *, take: Take, answer: Answer) -> None:
    """Take an update's message; stop the spinner if it was a tap."""
    try:
        incoming = read(update)
    except Exception as bug:  # noqa: BLE001
        # An update that raised here would stop polling for everybody.
        chat = update.effective_chat
        address = str(chat.id) if chat and chat.type == chat.PRIVATE else ""
        incoming = Incoming("telegram", address, str(update.update_id), raw=update.to_dict(), unread=bug)
    if incoming is not None:
        await take(incoming)
    if update.callback_query:
        answer(update.callback_query.id)


def read(update: Update) -> Incoming | None:
    """What a person wrote, edited, tapped or sent; None for groups, channels and service messages."""
    if update.callback_query:
        return _tap(update, update.callback_query)
    if update.message_reaction:
        return _reaction(update, update.message_reaction)
    if update.edited_message:
        return _edit(update, update.edited_message)
    return _message(update, update.message) if update.message else None


def _message(update: Update, message: Message) -> Incoming | None:
    if message.from_user is None or message.chat.type != message.chat.PRIVATE:
        return None
    text, phone = message.text or message.caption, _proven_phone(message)
    if text is None and message.effective_attachment is None:
        return None
    if message.contact and not phone:  # someone else's number is handled like typed text
        text = text or message.contact.phone_number
    return Incoming(
        channel="telegram",
        address=str(message.chat.id),
        event_id=str(update.update_id),
        text=clean(text or "") or None,
        phone=phone,
        place=_place(message),
        kind=_kind(message),
        media=_media(message),
        name=_name(message.from_user),
        language=message.from_user.language_code,
        written_at=message.date,
        message_id=str(message.message_id),
        raw=update.to_dict(),
    )


def _edit(update: Update, message: Message) -> Incoming | None:
    """New text of an earlier message; None for the others: a live location is edited every few seconds."""
    if message.location or not (message.text or message.caption):
        return None
    new = _message(update, message)
    return new and replace(
        new, edited=True, written_at=message.edit_date or new.written_at, first_written_at=message.date
    )


def _reaction(update: Update, reaction: MessageReactionUpdated) -> Incoming | None:
    """The emoji that a person has put under a message; None if they took one away."""
    before = set(reaction.old_reaction)
    put = [each.emoji for each in reaction.new_reaction if each not in before and isinstance(each, ReactionTypeEmoji)]
    if not put or reaction.user is None or reaction.chat.type != reaction.chat.PRIVATE:
        return None
    return Incoming(
        channel="telegram",
        address=str(reaction.chat.id),
        event_id=str(update.update_id),
        text=clean("".join(put)),
        kind=Kind.REACTION,
        name=_name(reaction.user),
        language=reaction.user.language_code,
        written_at=reaction.date,
        raw=update.to_dict(),
    )


def read_kept(raw: Mapping[str, Any]) -> Incoming | None:
    """Read an update that was stored as JSON."""
    return read(Update.de_json(dict(raw), None))


def _tap(update: Update, query: CallbackQuery) -> Incoming:
    keyboard = query.message.reply_markup if isinstance(query.message, Message) else None
    buttons = [button for row in (keyboard.inline_keyboard if keyboard else ()) for button in row]
    return Incoming(
        channel="telegram",
        # The bot only writes to private chats, whose id is the person's id.
        address=str(query.from_user.id),
        event_id=str(update.update_id),
        text=next((clean(button.text) for button in buttons if button.callback_data == query.data), None),
        choice=clean(query.data or ""),
        name=_name(query.from_user),
        language=query.from_user.language_code,
        raw=update.to_dict(),
    )


def _proven_phone(message: Message) -> str | None:
    """The sender's own number in E.164: people can share anyone's contact, only their own counts."""
    if message.contact is None or message.contact.user_id != getattr(message.from_user, "id", None):
        return None
    digits = "".join(char for char in message.contact.phone_number if char in "0123456789")
    return f"+{digits}" if 8 <= len(digits) <= 15 else None


def _place(message: Message) -> Place | None:
    if message.venue:
        spot, address = message.venue.location, f"{message.venue.title}, {message.venue.address}"
    elif message.location:
        spot, address = message.location, None
    else:
        return None
    return Place(spot.latitude, spot.longitude, clean(address) if address else None)


def _kind(message: Message) -> Kind:
    is_picture = message.document is not None and (message.document.mime_type or "").startswith("image/")
    if message.photo or (is_picture and not message.animation):
        return Kind.PHOTO
    kinds = {
        Kind.TEXT: message.text,
        Kind.VOICE: message.voice or message.audio,
        Kind.VIDEO: message.video or message.video_note or message.animation,
        Kind.STICKER: message.sticker,
        Kind.LOCATION: message.location or message.venue,
        Kind.CONTACT: message.contact,
    }
    return next((kind for kind, content in kinds.items() if content), Kind.OTHER)


def _media(message: Message) -> tuple[str, ...]:
    if message.photo:
        return (max(message.photo, key=lambda size: size.width * size.height).file_id,)
    heard_or_seen = message.voice or message.audio or message.video or message.video_note
    file = heard_or_seen or message.animation or message.document
    return (file.file_id,) if file else ()


def _name(user: User) -> str:
    return " ".join(clean(user.full_name)[:100].split())
