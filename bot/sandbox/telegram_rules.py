"""The Bot API's validation of a call and its error texts (https://core.telegram.org/bots/api)."""

import json
import re
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError

from bot.sandbox.hub import Media
from bot.sandbox.markup import CantParse, Parsed, plain, telegram_html, utf16_length
from bot.sandbox.phones import Button, Key
from bot.sandbox.telegram_chats import Telegram

TEXT_LIMIT, CAPTION_LIMIT, ANSWER_LIMIT = 4096, 1024, 200
CALLBACK_DATA_LIMIT, BUTTONS_LIMIT = 64, 100
UPLOAD_LIMIT, PHOTO_LIMIT, DOWNLOAD_LIMIT = 50_000_000, 10_000_000, 20_000_000
ACTIONS = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
    "choose_sticker", "find_location", "record_video_note", "upload_video_note",
}  # fmt: skip

Buttons = tuple[tuple[Button, ...], ...]
Keyboard = tuple[tuple[Key, ...], ...] | None


class ApiError(Exception):
    """An error response of the Bot API."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


def bad_request(reason: str) -> ApiError:
    """A 400 error with Telegram's text."""
    return ApiError(400, f"Bad Request: {reason}")


@dataclass(frozen=True)
class Call:
    """A request: its parameters as text, and uploaded files."""

    chats: Telegram
    params: dict[str, str]
    files: dict[str, Media]

    def get(self, name: str, default: str = "") -> str:
        return self.params.get(name, default)

    def number(self, name: str, default: int = 0) -> int:
        """An integer parameter."""
        try:
            return int(self.params.get(name) or default)
        except ValueError:
            raise bad_request(f"invalid {name} specified") from None

    def read(self, name: str) -> Any:
        """A JSON parameter; None if absent."""
        if not self.params.get(name):
            return None
        try:
            return json.loads(self.params[name])
        except ValueError:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None


def text_of(call: Call, name: str, limit: int, too_long: str) -> Parsed:
    """Parse a text or caption; the limit applies to the text without markup."""
    source, mode = call.get(name).strip(), call.get("parse_mode").lower()
    if mode not in ("", "html"):
        raise bad_request("unsupported parse_mode")
    try:
        parsed = telegram_html(source) if mode else plain(source)
    except CantParse as problem:
        raise bad_request(f"can't parse entities: {problem}") from None
    if utf16_length(parsed.text) > limit:
        raise bad_request(too_long)
    return parsed


def markup_of(call: Call) -> tuple[Buttons, Keyboard]:
    """The inline buttons and the reply keyboard: None leaves the keyboard as it is, () removes it."""
    markup = call.read("reply_markup")
    match markup:
        case None:
            return (), None
        case {"inline_keyboard": list(rows)}:
            return _inline(rows), None
        case {"keyboard": list(rows)}:
            return (), tuple(tuple(_key(key) for key in row) for row in rows)
        case {"remove_keyboard": True}:
            return (), ()
        case {"force_reply": True}:
            return (), None
        case _:
            raise bad_request("object expected as reply markup")


def _inline(rows: list[Any]) -> Buttons:
    if not all(isinstance(row, list) for row in rows):
        raise bad_request("can't parse inline keyboard: expected an Array of Arrays")
    if sum(len(row) for row in rows) > BUTTONS_LIMIT:
        raise bad_request("reply markup is too long")
    return tuple(
        tuple(_button(button, f"{y}-{x}") for x, button in enumerate(row)) for y, row in enumerate(rows) if row
    )


def _button(button: Any, place: str) -> Button:
    title = button.get("text") if isinstance(button, dict) else None
    if not isinstance(title, str) or not title.strip():
        raise bad_request("can't parse inline keyboard button: Text is empty")
    match button:
        case {"callback_data": str(data), **rest} if not rest.keys() & {"url"}:
            if not 1 <= len(data.encode()) <= CALLBACK_DATA_LIMIT:
                raise bad_request("BUTTON_DATA_INVALID")
            return Button(place, title, "callback", data=data)
        case {"url": str(url), **rest} if not rest.keys() & {"callback_data"}:
            if not re.match(r"(https?|tg)://[^\s/]+", url):
                raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
            return Button(place, title, "url", url=url)
        case _:
            raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")


def _key(key: Any) -> Key:
    match key:
        case str(title) | {"text": str(title)} if not title.strip():
            raise bad_request("can't parse keyboard button: Text is empty")
        case {"text": str(title), "request_contact": True}:
            return Key(title, "contact")
        case {"text": str(title), "request_location": True}:
            return Key(title, "location")
        case str(title) | {"text": str(title)}:
            return Key(title, "text")
        case _:
            raise bad_request("can't parse keyboard button: KeyboardButton must be a String or an Object")


async def file_of(call: Call, name: str, limit: int) -> Media:
    """Load a file that is uploaded, already known, or at a URL."""
    given = call.get(name)
    upload = call.files.get(given.removeprefix("attach://") or name)
    if upload is not None:
        file = upload
    elif given in call.chats.files:
        return call.chats.files[given]
    elif re.match(r"https?://", given):
        file = await _download(call, given, name)
    else:
        raise bad_request(f"there is no {name} in the request")
    if not file.content:
        raise bad_request("file must be non-empty")
    if len(file.content) > limit:
        raise ApiError(413, "Request Entity Too Large")
    return call.chats.hub.store(file.name, file.content_type, file.content)


async def _download(call: Call, url: str, name: str) -> Media:
    try:
        async with call.chats.hub.http.get(url) as response:
            content, content_type = await response.read(), response.content_type
    except (ClientError, TimeoutError):
        raise bad_request("failed to get HTTP URL content") from None
    wanted = ("image/",) if name == "photo" else ("application/pdf", "application/zip", "image/gif")
    if response.status != 200 or not content_type.startswith(wanted):
        raise bad_request("wrong type of the web page content")
    return Media("", url.partition("?")[0].rpartition("/")[2], content_type, content)


def is_command(command: Any) -> bool:
    """Whether setMyCommands accepts it."""
    match command:
        case {"command": str(name), "description": str(description)}:
            return bool(re.fullmatch(r"[a-z0-9_]{1,32}", name)) and 1 <= len(description) <= 256
        case _:
            return False
