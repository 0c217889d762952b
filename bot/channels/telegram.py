"""Telegram, by python-telegram-bot's `Bot` alone: no updater, no application, one call per part of a message."""

import asyncio
import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any

import httpx
from telegram import Bot, BotCommand, InputFile, LinkPreviewOptions, Message
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from bot.channels.sending import File, NotSent, Parcel, Unclear, Undeliverable, of_parts, remaining
from bot.channels.telegram_render import Part, parts
from conversations.texts import LANGUAGES, render
from core.media import MOST_BYTES
from core.messaging.messages import Say
from webhooks.telegram import ALLOWED_UPDATES

LONGEST_FETCH = timedelta(seconds=30)
_NO_PHOTO = ("image_process_failed", "photo_invalid_dimensions", "too big")

_log = logging.getLogger(__name__)


def make_bot(
    token: str, api_url: str = "https://api.telegram.org", *, timeout: timedelta = timedelta(seconds=15)
) -> Bot:
    """The client; it is not initialized, since that asks Telegram, which may be away, who the bot is."""
    seconds, api_url = timeout.total_seconds(), api_url.rstrip("/")
    limits: dict[str, Any] = {
        "read_timeout": seconds,
        "write_timeout": seconds,
        "connect_timeout": 5,
        "pool_timeout": 5,
        "httpx_kwargs": {"verify": _authorities()},
    }
    return Bot(
        token,
        base_url=f"{api_url}/bot",
        base_file_url=f"{api_url}/file/bot",
        request=HTTPXRequest(connection_pool_size=32, media_write_timeout=60, **limits),
        get_updates_request=HTTPXRequest(connection_pool_size=1, **limits),
    )


@cache
def _authorities() -> ssl.SSLContext:
    """Whose certificates are believed: reading them takes a while, and both clients of a bot want the same."""
    return httpx.create_ssl_context()


class TelegramSender:
    """Delivers to Telegram chats, and answers taps."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self.joined = False
        """Whether Telegram has been told where we are."""
        self._keys_open: set[str] = set()
        """Chats that were last shown a reply keyboard; after a restart one may stay up until the next one."""
        self._answers: set[asyncio.Task[None]] = set()

    async def send(self, parcel: Parcel) -> str | None:
        """Deliver every part that Telegram doesn't have yet; the id is the last one's."""
        if parcel.attempts:
            await self._reach(parcel)
        last = None
        for left, part in remaining(parcel, parts(parcel.message, parcel.language, keys_open=self._has_keys(parcel))):
            with of_parts(left):
                last = await self._send(parcel, part)
        self._remember_keys(parcel)
        return last

    async def fetch(self, handle: str) -> bytes | None:
        """The bytes of a photo that somebody sent; None where it is too large, or Telegram doesn't give it."""
        try:
            # The client's own limits are for each piece: one that trickles in would hold its chat up for hours.
            async with asyncio.timeout(LONGEST_FETCH.total_seconds()):
                file = await self.bot.get_file(handle)
                if (file.file_size or 0) > MOST_BYTES:
                    return None
                return bytes(await file.download_as_bytearray())
        except (TelegramError, TimeoutError) as error:
            _log.info("a photo was not fetched: %r", error)
            return None

    def answer(self, query_id: str) -> None:
        """Stop the spinner on a tapped button, in the background: what was tapped is committed already."""
        task = asyncio.create_task(self._answer(query_id))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def announce(self, commands: Mapping[str, Say], webhook: tuple[str, str] | None = None) -> None:
        """Tell Telegram the commands in each language, and where to call us: (url, secret), or None when we poll.

        Raises `TelegramError` while Telegram is away.
        """
        for language in LANGUAGES:
            listed = [BotCommand(name, render(words, language)) for name, words in commands.items()]
            # Indonesian is what everybody sees whose language has no list of its own.
            await self.bot.set_my_commands(listed, language_code=None if language == LANGUAGES[0] else language)
        if webhook is None:
            await self.bot.delete_webhook()
        else:
            url, secret = webhook
            await self.bot.set_webhook(url, secret_token=secret, allowed_updates=ALLOWED_UPDATES)
        self.joined = True

    async def close(self) -> None:
        """Close the connections, when the last answers are out."""
        await asyncio.gather(*self._answers)
        for request in self.bot._request:  # the bot's own shutdown does nothing unless it was initialized
            await request.shutdown()

    async def _reach(self, parcel: Parcel) -> None:
        """Ask something harmless before a message is sent again: a silent Telegram must not use its second try up."""
        with of_parts(parcel.parts_left):
            try:
                with _told_apart():
                    await self.bot.get_me()
            except Unclear as error:
                raise NotSent(str(error)) from error

    async def _send(self, parcel: Parcel, part: Part) -> str:
        with _told_apart():
            if part.document and parcel.file:
                sent = await self._send_file(parcel.address, parcel.file, part)
            else:
                sent = await self.bot.send_message(
                    int(parcel.address),
                    part.text or "…",
                    parse_mode=ParseMode.HTML,
                    reply_markup=part.keyboard,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )
        return str(sent.message_id)

    async def _send_file(self, address: str, file: File, part: Part) -> Message:
        """A photo as one, as long as Telegram takes it for one (it has bounds for sides); anything else as a file."""
        rest: dict[str, Any] = {
            "caption": part.text or None,
            "parse_mode": ParseMode.HTML,
            "reply_markup": part.keyboard,
        }
        if file.content_type.startswith("image/"):
            try:
                return await self.bot.send_photo(int(address), InputFile(file.content, file.name), **rest)
            except BadRequest as error:
                if not any(words in str(error).lower() for words in _NO_PHOTO):
                    raise
        return await self.bot.send_document(int(address), InputFile(file.content, file.name), **rest)

    async def _answer(self, query_id: str) -> None:
        try:
            await self.bot.answer_callback_query(query_id)
        except TelegramError as error:
            # "Query is too old", or Telegram is away: only the spinner turns a little longer.
            _log.info("a tap was not answered: %s", error)

    def _has_keys(self, parcel: Parcel) -> bool:
        return parcel.address in self._keys_open

    def _remember_keys(self, parcel: Parcel) -> None:
        if parcel.message.wants:
            self._keys_open.add(parcel.address)
        else:
            self._keys_open.discard(parcel.address)


def asked_wait(error: Exception) -> timedelta:
    """How long Telegram asks us to wait: not at all with most errors."""
    wait = error.retry_after if isinstance(error, RetryAfter) else 0
    return wait if isinstance(wait, timedelta) else timedelta(seconds=wait)


@contextmanager
def _told_apart() -> Iterator[None]:
    """Telegram's errors as the four ways in which sending can go wrong."""
    try:
        yield
    except RetryAfter as error:
        raise NotSent(str(error), asked_wait(error)) from error
    except Forbidden as error:
        raise Undeliverable(str(error), unreachable=True) from error
    except BadRequest as error:
        raise Undeliverable(str(error), unreachable="chat not found" in str(error).lower()) from error
    except InvalidToken as error:
        raise NotSent(f"Telegram refuses the token: {error}") from error
    except TelegramError as error:
        raise (Unclear if _may_have_arrived(error) else NotSent)(str(error)) from error


def _may_have_arrived(error: TelegramError) -> bool:
    """Whether the request was on its way: a failed connect means that it did not arrive.

    An error status counts as a no, too: where it lasts, a message that may only be sent twice would be given up.
    """
    if isinstance(error.__cause__, httpx.HTTPError):
        return not isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    return not isinstance(error, NetworkError)
