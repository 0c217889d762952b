"""Telegram by python-telegram-bot's `Bot`, without its updater and application; one call per part of a message."""

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

from bot.channels.sending import File, NotSent, Outgoing, Unclear, Undeliverable, parts_to_send, sending_part
from bot.channels.telegram_render import Part, parts
from conversations.texts import LANGUAGES, render
from core.media import MOST_BYTES
from core.messaging.messages import Say
from webhooks.telegram import ALLOWED_UPDATES

FETCH_TIMEOUT = timedelta(seconds=30)
_NOT_A_PHOTO = ("image_process_failed", "photo_invalid_dimensions", "too big")
"""In errors about a picture that Telegram only accepts as a document."""

_log = logging.getLogger(__name__)


def make_bot(
    token: str, api_url: str = "https://api.telegram.org", *, timeout: timedelta = timedelta(seconds=15)
) -> Bot:
    """The client, not initialized: that would call Telegram, which may be away."""
    seconds, api_url = timeout.total_seconds(), api_url.rstrip("/")
    limits: dict[str, Any] = {
        "read_timeout": seconds,
        "write_timeout": seconds,
        "connect_timeout": 5,
        "pool_timeout": 5,
        "httpx_kwargs": {"verify": _ssl_context()},
    }
    return Bot(
        token,
        base_url=f"{api_url}/bot",
        base_file_url=f"{api_url}/file/bot",
        request=HTTPXRequest(connection_pool_size=32, media_write_timeout=60, **limits),
        get_updates_request=HTTPXRequest(connection_pool_size=1, **limits),
    )


@cache
def _ssl_context() -> ssl.SSLContext:
    # Cached: it takes a while to read all certificates, and each bot has two clients.
    return httpx.create_ssl_context()


class TelegramSender:
    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self.joined = False
        """Whether Telegram knows our commands and our webhook."""
        self._reply_keyboards: set[str] = set()
        """Chats with an open reply keyboard; forgotten at a restart, so one may stay open until the next one."""
        self._answers: set[asyncio.Task[None]] = set()

    async def send(self, outgoing: Outgoing) -> str | None:
        """Send every part that Telegram doesn't have yet; the id is the last one's."""
        if outgoing.attempts:
            await self._check_connection(outgoing)
        address, last = outgoing.address, None
        keys_open = address in self._reply_keyboards
        shown = parts(
            outgoing.message,
            outgoing.language,
            keys_open=keys_open,
            again=outgoing.may_have_arrived,
            left=outgoing.parts_left,
        )
        for left, part in parts_to_send(outgoing, shown):
            with sending_part(left):
                last = await self._send(outgoing, part)
        self._reply_keyboards.discard(address)
        if outgoing.message.wants:
            self._reply_keyboards.add(address)
        return last

    async def fetch(self, handle: str) -> bytes | None:
        """A photo's bytes; None if it is too large or Telegram doesn't provide it."""
        try:
            # The client's own timeouts start again with each chunk: a slow download would hold up its chat for hours.
            async with asyncio.timeout(FETCH_TIMEOUT.total_seconds()):
                file = await self.bot.get_file(handle)
                if (file.file_size or 0) > MOST_BYTES:
                    return None
                return bytes(await file.download_as_bytearray())
        except (TelegramError, TimeoutError) as error:
            _log.info("a photo was not fetched: %r", error)
            return None

    def answer(self, query_id: str) -> None:
        """Stop the spinner on a tapped button, in the background, since the tap is committed already."""
        task = asyncio.create_task(self._answer(query_id))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def announce(self, commands: Mapping[str, Say], webhook: tuple[str, str] | None = None) -> None:
        """Set the commands in each language and the webhook: (url, secret), or None for polling.

        Raises `TelegramError` while Telegram is away.
        """
        for language in LANGUAGES:
            listed = [BotCommand(name, render(words, language)) for name, words in commands.items()]
            # Indonesian is the default, for people whose language has no list.
            await self.bot.set_my_commands(listed, language_code=None if language == LANGUAGES[0] else language)
        if webhook is None:
            await self.bot.delete_webhook()
        else:
            url, secret = webhook
            await self.bot.set_webhook(url, secret_token=secret, allowed_updates=ALLOWED_UPDATES)
        self.joined = True

    async def close(self) -> None:
        await asyncio.gather(*self._answers)
        for request in self.bot._request:  # the bot's own shutdown does nothing without initialization
            await request.shutdown()

    async def _check_connection(self, outgoing: Outgoing) -> None:
        """Call something harmless before a retry: a Telegram that doesn't answer must not use up the retry."""
        with sending_part(outgoing.parts_left):
            try:
                with _translated_errors():
                    await self.bot.get_me()
            except Unclear as error:
                raise NotSent(str(error)) from error

    async def _send(self, outgoing: Outgoing, part: Part) -> str:
        with _translated_errors():
            if part.document and outgoing.file:
                sent = await self._send_file(outgoing.address, outgoing.file, part)
            else:
                sent = await self.bot.send_message(
                    int(outgoing.address),
                    part.text or "…",
                    parse_mode=ParseMode.HTML,
                    reply_markup=part.keyboard,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )
        return str(sent.message_id)

    async def _send_file(self, address: str, file: File, part: Part) -> Message:
        """Send a picture as a photo, or as a document if Telegram rejects it as a photo (its sides have limits)."""
        rest: dict[str, Any] = {
            "caption": part.text or None,
            "parse_mode": ParseMode.HTML,
            "reply_markup": part.keyboard,
        }
        if file.content_type.startswith("image/"):
            try:
                return await self.bot.send_photo(int(address), InputFile(file.content, file.name), **rest)
            except BadRequest as error:
                if not any(words in str(error).lower() for words in _NOT_A_PHOTO):
                    raise
        return await self.bot.send_document(int(address), InputFile(file.content, file.name), **rest)

    async def _answer(self, query_id: str) -> None:
        try:
            await self.bot.answer_callback_query(query_id)
        except TelegramError as error:
            # "Query is too old", or Telegram is away: the spinner only turns a little longer.
            _log.info("a tap was not answered: %s", error)


def retry_after(error: Exception) -> timedelta:
    """How long Telegram asks us to wait; with most errors not at all."""
    wait = error.retry_after if isinstance(error, RetryAfter) else 0
    return wait if isinstance(wait, timedelta) else timedelta(seconds=wait)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except RetryAfter as error:
        raise NotSent(str(error), retry_after(error)) from error
    except Forbidden as error:
        raise Undeliverable(str(error), unreachable=True) from error
    except BadRequest as error:
        raise Undeliverable(str(error), unreachable="chat not found" in str(error).lower()) from error
    except InvalidToken as error:
        raise NotSent(f"Telegram rejects the token: {error}") from error
    except TelegramError as error:
        raise (Unclear if _may_have_arrived(error) else NotSent)(str(error)) from error


def _may_have_arrived(error: TelegramError) -> bool:
    """Whether the request may have reached Telegram: not if the connection failed.

    An error status counts as not sent, too: a message whose result is unclear is given up after a few of them.
    """
    if isinstance(error.__cause__, httpx.HTTPError):
        return not isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    return not isinstance(error, NetworkError)
