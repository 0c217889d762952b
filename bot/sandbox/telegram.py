"""Stand-in for the Telegram Bot API: the methods the bot calls, with the real limits and error texts.

https://core.telegram.org/bots/api. Unlike the real one, it accepts http and local addresses for buttons and webhooks.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from aiohttp import web
from aiohttp.web_request import FileField

from bot.sandbox.hub import Faults, Media
from bot.sandbox.markup import Parsed, utf16_length
from bot.sandbox.phones import ActionImpossible, Bubble, Person
from bot.sandbox.telegram_chats import BOT, Telegram, Webhook
from bot.sandbox.telegram_rules import (
    ACTIONS,
    ANSWER_LIMIT,
    CAPTION_LIMIT,
    DOWNLOAD_LIMIT,
    PHOTO_LIMIT,
    TEXT_LIMIT,
    UPLOAD_LIMIT,
    ApiError,
    Call,
    bad_request,
    file_of,
    is_command,
    markup_of,
    text_of,
)

TOKEN = re.compile(r"0000000000:SANDBOX[A-Za-z0-9_-]*")
"""No real token has this form."""
CALLBACK_QUERY_LIFETIME = timedelta(seconds=150)
DELETE_WITHIN = timedelta(hours=48)
Method = Callable[[Call], Awaitable[Any]]


class BotApi:
    """The Bot API of one bot."""

    def __init__(self, chats: Telegram, token: str) -> None:
        self.chats = chats
        self.token = token
        self.faults = Faults()

    def routes(self) -> list[web.RouteDef]:
        """Routes for python-telegram-bot with base_url `{url}/bot` and base_file_url `{url}/file/bot`."""
        return [
            web.route("*", r"/bot{token:\d+:[^/]+}/{method}", self._call),
            web.get(r"/file/bot{token:\d+:[^/]+}/{folder}/{file}", self._download),
        ]

    async def _call(self, request: web.Request) -> web.StreamResponse:
        return await self.faults.handle(request, self._answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            if request.match_info["token"] != self.token:
                raise ApiError(401, "Unauthorized")
            method = METHODS.get(request.match_info["method"].lower())
            if method is None:
                raise ApiError(404, "Not Found")
            return web.json_response({"ok": True, "result": await method(await self._read(request))})
        except ApiError as error:
            body = {"ok": False, "error_code": error.code, "description": error.description}
            parameters = {"parameters": error.parameters} if error.parameters else {}
            return web.json_response(body | parameters, status=error.code)

    async def _read(self, request: web.Request) -> Call:
        params: dict[str, str] = dict(request.query)
        files: dict[str, Media] = {}
        for name, value in (await request.post()).items():
            if isinstance(value, FileField):
                content = await asyncio.to_thread(value.file.read)
                files[name] = Media("", value.filename or name, value.content_type, content)
            else:
                params[name] = value if isinstance(value, str) else value.decode()
        return Call(self.chats, params, files)

    async def _download(self, request: web.Request) -> web.Response:
        media = self.chats.files.get(request.match_info["file"].partition(".")[0])
        if request.match_info["token"] != self.token or media is None:
            raise web.HTTPNotFound
        return web.Response(body=media.content, content_type=media.content_type)


async def _get_me(call: Call) -> Any:
    abilities = ("can_join_groups", "can_read_all_group_messages", "supports_inline_queries")
    return BOT | dict.fromkeys(abilities, False)


async def _send_message(call: Call) -> Any:
    person = _recipient(call)
    parsed = text_of(call, "text", TEXT_LIMIT, "message is too long")
    if not parsed.text:
        raise bad_request("message text is empty")
    return _post(call, person, {"text": parsed.text}, parsed)


async def _send_photo(call: Call) -> Any:
    person = _recipient(call)
    caption = text_of(call, "caption", CAPTION_LIMIT, "message caption is too long")
    media = await file_of(call, "photo", PHOTO_LIMIT)
    try:
        sizes = call.chats.photo_sizes(media)
    except ValueError:
        raise bad_request("IMAGE_PROCESS_FAILED") from None
    return _post(call, person, {"photo": sizes, "caption": caption.text}, caption, media)


async def _send_document(call: Call) -> Any:
    person = _recipient(call)
    caption = text_of(call, "caption", CAPTION_LIMIT, "message caption is too long")
    media = await file_of(call, "document", UPLOAD_LIMIT)
    document = call.chats.file(media) | {"file_name": media.name, "mime_type": media.content_type}
    return _post(call, person, {"document": document, "caption": caption.text}, caption, media)


async def _edit_message_text(call: Call) -> Any:
    own = _own_message(call, "edit")
    if "text" not in own.message:
        raise bad_request("there is no text in the message to edit")
    parsed = text_of(call, "text", TEXT_LIMIT, "message is too long")
    if not parsed.text:
        raise bad_request("message text is empty")
    after = replace(own.bubble, text=parsed.text, html=parsed.html, buttons=markup_of(call)[0])
    return _edit(call, own, after, {"text": parsed.text, "entities": parsed.entities})


async def _edit_message_reply_markup(call: Call) -> Any:
    own = _own_message(call, "edit")
    return _edit(call, own, replace(own.bubble, buttons=markup_of(call)[0]), {})


async def _delete_message(call: Call) -> Any:
    own = _own_message(call, "delete")
    if call.chats.hub.clock() - own.bubble.at > DELETE_WITHIN:
        raise bad_request("message can't be deleted for everyone")
    own.person.remove(own.bubble.id)
    return True


async def _answer_callback_query(call: Call) -> Any:
    tapped_at = call.chats.queries.get(call.get("callback_query_id"))
    if tapped_at is None or call.chats.hub.clock() - tapped_at > CALLBACK_QUERY_LIFETIME:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    if utf16_length(call.get("text")) > ANSWER_LIMIT:
        raise bad_request("MESSAGE_TOO_LONG")
    return True


async def _send_chat_action(call: Call) -> Any:
    _recipient(call)
    if call.get("action") not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    return True


async def _set_my_commands(call: Call) -> Any:
    commands = call.read("commands") or []
    if len(commands) > 100 or not all(is_command(command) for command in commands):
        raise bad_request("BOT_COMMAND_INVALID")
    call.chats.commands[f"{call.get('scope')} {call.get('language_code')}"] = commands
    return True


async def _get_my_commands(call: Call) -> Any:
    return call.chats.commands.get(f"{call.get('scope')} {call.get('language_code')}", [])


async def _get_file(call: Call) -> Any:
    media = call.chats.files.get(call.get("file_id"))
    if media is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if len(media.content) > DOWNLOAD_LIMIT:
        raise bad_request("file is too big")
    folder = "photos" if media.content_type.startswith("image/") else "documents"
    suffix = media.name.rpartition(".")[2]
    return call.chats.file(media) | {"file_path": f"{folder}/{media.id}.{suffix}"}


async def _set_webhook(call: Call) -> Any:
    url, secret = call.get("url"), call.get("secret_token")
    if not url:
        return await _delete_webhook(call)
    if not re.match(r"https://|http://(localhost|127\.0\.0\.1)[:/]", url):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if len(secret) > 256:
        raise bad_request("secret token is too long")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
        raise bad_request("secret token contains unallowed characters")
    _drop_pending(call)
    if call.get("allowed_updates"):
        call.chats.allowed_updates = tuple(call.read("allowed_updates"))
    call.chats.webhook = Webhook(url, secret, call.number("max_connections", 40))
    call.chats.deliver_pending()
    return True


async def _delete_webhook(call: Call) -> Any:
    _drop_pending(call)
    call.chats.webhook = Webhook()
    return True


async def _get_webhook_info(call: Call) -> Any:
    webhook = call.chats.webhook
    info: dict[str, Any] = {
        "url": webhook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(call.chats.pending),
        "max_connections": webhook.max_connections,
        "allowed_updates": list(call.chats.allowed_updates),
    }
    if webhook.error:
        at, reason = webhook.error
        info |= {"last_error_date": int(at.timestamp()), "last_error_message": reason}
    return info


async def _get_updates(call: Call) -> Any:
    """Return the updates from `offset` on and forget the older ones, which the call confirms."""
    chats = call.chats
    if call.get("allowed_updates"):
        chats.allowed_updates = tuple(call.read("allowed_updates"))
    if chats.webhook.url:
        raise ApiError(
            409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
        )  # fmt: skip
    offset = call.number("offset")
    for update_id in [known for known in chats.pending if known < offset]:
        del chats.pending[update_id]
    await _wait_for_updates(call, call.number("timeout"))
    limit = min(100, call.number("limit", 100))
    return [chats.pending[update_id] for update_id in sorted(chats.pending)[:limit]]


async def _wait_for_updates(call: Call, seconds: int) -> None:
    if call.chats.poll is not None and not call.chats.poll.done():
        call.chats.poll.set_result(None)
    ended = call.chats.poll = asyncio.get_running_loop().create_future()
    call.chats.arrived.clear()
    if not call.chats.pending and seconds:
        arrival = asyncio.ensure_future(call.chats.arrived.wait())
        await asyncio.wait({arrival, ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        arrival.cancel()
    if ended.done():
        raise ApiError(
            409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
        )


def _drop_pending(call: Call) -> None:
    if call.get("drop_pending_updates") == "true":
        call.chats.pending.clear()


def _recipient(call: Call) -> Person:
    """The person of `chat_id`; raises ApiError where Telegram forbids the bot to write."""
    person = call.chats.people.get(call.get("chat_id"))
    if person is None:
        raise bad_request("chat not found")
    if person.last_wrote is None:
        raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
    if person.blocked:
        raise ApiError(403, "Forbidden: bot was blocked by the user")
    return person


@dataclass(frozen=True, slots=True)
class _Own:
    """A message that the bot edits or deletes."""

    person: Person
    message: dict[str, Any]
    bubble: Bubble


def _own_message(call: Call, action: str) -> _Own:
    person, message_id = _recipient(call), call.number("message_id")
    try:
        bubble = person.bubble(str(message_id))
    except ActionImpossible:
        raise bad_request(f"message to {action} not found") from None
    if bubble.author == "me" and action == "edit":
        raise bad_request("message can't be edited")
    return _Own(person, call.chats.messages[person.address, message_id], bubble)


def _post(
    call: Call, person: Person, content: dict[str, Any], parsed: Parsed, media: Media | None = None
) -> dict[str, Any]:
    buttons, keyboard = markup_of(call)
    wait = call.chats.rate_limit.wait(person.address, asyncio.get_running_loop().time()) if call.chats.rate_limit else 0
    if wait:
        raise ApiError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
    kind: Literal["photo", "document", "text"] = "photo" if "photo" in content else "document" if media else "text"
    if parsed.entities:
        content["entities" if kind == "text" else "caption_entities"] = parsed.entities
    if buttons:
        content["reply_markup"] = call.read("reply_markup")
    message = call.chats.message(person, BOT, content)
    bubble = Bubble(str(message["message_id"]), "shop", call.chats.hub.clock(), kind, parsed.text, parsed.html)
    person.show(replace(bubble, buttons=buttons, keyboard=keyboard, media=media))
    return message


def _edit(call: Call, own: _Own, after: Bubble, content: dict[str, Any]) -> dict[str, Any]:
    if (own.bubble.html, own.bubble.buttons) == (after.html, after.buttons):
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same "
            "as a current content and reply markup of the message"
        )
    own.message.update(content, edit_date=int(call.chats.hub.clock().timestamp()))
    own.message.pop("reply_markup", None)
    if after.buttons:
        own.message["reply_markup"] = call.read("reply_markup")
    own.person.update(replace(after, edited=after.html != own.bubble.html or own.bubble.edited))
    return own.message


METHODS: dict[str, Method] = {
    "getme": _get_me,
    "sendmessage": _send_message,
    "sendphoto": _send_photo,
    "senddocument": _send_document,
    "editmessagetext": _edit_message_text,
    "editmessagereplymarkup": _edit_message_reply_markup,
    "deletemessage": _delete_message,
    "answercallbackquery": _answer_callback_query,
    "sendchataction": _send_chat_action,
    "setmycommands": _set_my_commands,
    "getmycommands": _get_my_commands,
    "getfile": _get_file,
    "setwebhook": _set_webhook,
    "deletewebhook": _delete_webhook,
    "getwebhookinfo": _get_webhook_info,
    "getupdates": _get_updates,
}
"""By lower-case name; Telegram ignores the case of method names."""
