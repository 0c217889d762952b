"""WhatsApp by Twilio's client: texts and files as messages, buttons and lists as Contents.

Before a retry, a message that may have arrived is looked up among the recipient's messages by its text.
"""

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    encode_basic_auth,
)
from twilio.base import values
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance
from twilio.rest.content.v1.content import ContentList

from bot.channels.sending import NotSent, Outgoing, OutsideWindow, Unclear, Undeliverable, parts_to_send, sending_part
from bot.channels.text_fitting import one_line
from bot.channels.whatsapp_render import Interactive, Text, parts, plain_parts, template_text
from bot.timeouts import retry_after
from conversations.incoming import Incoming, clean
from core.media import MOST_BYTES
from core.upkeep.delivery_reports import FAILED, Report
from webhooks.twilio import read_or_keep, status_url

API = "https://api.twilio.com"
CONTENT = "https://content.twilio.com"

_OUTSIDE_WINDOW = 63016
_RATE_LIMITED = {20429, 63018}
_NO_SUCH_CONTENT = 21655
_NOT_ON_WHATSAPP = {21211, 63003, 63024}
_CLOCK_SKEW = timedelta(minutes=1)
"""How far Twilio's clock may be behind ours."""
_RECENT = 50
_PAGE = 1000
_MOST_LISTED = 5 * _PAGE
"""Messages of one listing, the newest first."""
_LISTING_TIME = 60
"""Seconds for a whole listing; each page has a timeout of its own."""
_MOST_CONTENTS = 5000

_MEDIA_TYPES = (
    "application/pdf", "image/jpeg", "image/png", "image/webp", "audio/ogg", "audio/mpeg", "audio/mp4", "audio/amr", "video/mp4",
)  # fmt: skip
"""Twilio rejects a message with some other types, so a file of any other type is sent as a link.

Source: https://www.twilio.com/docs/messaging/guides/accepted-mime-types
"""

_log = logging.getLogger(__name__)

Templates = Mapping[str, Mapping[str, str]]
"""By kind and language, the ContentSid of an approved template with one variable: the text."""


class WhatsAppSender:
    """Needs a running event loop when it is made, and must be closed."""

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        sender: str,
        public_url: str,
        templates: Templates,
        api_url: str = API,
        content_url: str = CONTENT,
        timeout: timedelta = timedelta(seconds=15),
        without_contents: timedelta = timedelta(minutes=1),
    ) -> None:
        """`without_contents`: how long no Content is asked for after one couldn't be had."""
        self._http = _Http({API: api_url, CONTENT: content_url}, timeout)
        self._credentials = (account_sid, auth_token)
        self._media_urls = tuple(f"{host.rstrip('/')}/" for host in {API, api_url})
        """Where Twilio keeps files; our credentials are sent to no other host."""
        self._client = Client(account_sid, auth_token, http_client=self._http)
        self._sender = sender if sender.startswith("whatsapp:") else f"whatsapp:{sender}"
        self._public_url = public_url
        self._templates = templates
        self._contents: dict[str, str] | None = None
        """ContentSids by friendly name; None until they are fetched."""
        self._making = asyncio.Lock()
        self._without_contents = without_contents.total_seconds()
        self._contents_again_at = 0.0

    async def send(self, outgoing: Outgoing) -> str | None:
        """Send every part that Twilio doesn't have yet; the id is the last one's.

        Raises `OutsideWindow` if the person's last message is too old and there is no template for this kind.
        """
        with sending_part(outgoing.parts_left):
            accepted = await self._accepted(outgoing) if outgoing.attempts else []
            drafts = await self._drafts(outgoing)
        last = None
        for left, draft in parts_to_send(outgoing, drafts):
            with sending_part(left):
                report_url = status_url(self._public_url, outgoing.id, is_last_part=left == 1)
                last = _find(draft, accepted) or await self._create(outgoing, draft, report_url)
        return last

    async def fetch(self, url: str) -> bytes | None:
        """A photo's bytes; None if it is too large or Twilio doesn't provide it."""
        if not url.startswith(self._media_urls):
            return None
        headers = {"Authorization": encode_basic_auth(*self._credentials)}
        try:
            async with self._http.session.get(url, headers=headers) as answer:
                return await _read_body(answer) if answer.status == HTTPStatus.OK else None
        except (ClientError, TimeoutError) as error:
            _log.info("a photo was not fetched: %r", error)
            return None

    async def missed(self, since: datetime, until: datetime | None = None) -> list[Incoming]:
        """People's messages of that time, oldest first: Twilio keeps those whose webhook has failed, too.

        A tap has only the button's label, and photos are missing. Raises `NotSent` while Twilio is away.
        """
        messages = await self._listed(since, until, to=self._sender)
        return [found for each in reversed(messages) if (found := read_or_keep(_form(each)))]

    async def failures(self, since: datetime, until: datetime | None = None) -> list[Report]:
        """Our messages of that time that failed after Twilio had accepted them. Raises `NotSent` while Twilio is away."""
        messages = await self._listed(since, until, from_=self._sender)
        return [
            Report(str(each.sid), str(each.status), str(each.error_code) if each.error_code else None)
            for each in messages
            if each.status in FAILED
        ]

    async def close(self) -> None:
        await self._http.close()

    async def _listed(self, since: datetime, until: datetime | None, **whose: str) -> list[MessageInstance]:
        """The newest messages of that time, at most so many and for so long that one listing can't go on for ever."""
        with _translated_errors(sending=False):
            async with asyncio.timeout(_LISTING_TIME):
                found = await self._client.messages.list_async(
                    date_sent_after=since.astimezone(UTC),
                    date_sent_before=until.astimezone(UTC) if until else values.unset,
                    page_size=_PAGE,
                    limit=_MOST_LISTED,
                    **whose,
                )
        if len(found) == _MOST_LISTED:
            _log.warning("only the newest %d WhatsApp messages since %s are looked at", _MOST_LISTED, since)
        return list(found)

    async def _drafts(self, outgoing: Outgoing) -> list["_Draft"]:
        if outgoing.in_session:
            try:
                return [await self._draft(outgoing, part) for part in parts(outgoing.message, outgoing.language)]
            except _NoContents:
                plain = plain_parts(outgoing.message, outgoing.language)
                return [await self._draft(outgoing, part) for part in plain]
        template = self._templates.get(outgoing.kind, {}).get(outgoing.language)
        if template is None:
            raise OutsideWindow(f"no template for {outgoing.kind} in {outgoing.language}")
        text = template_text(outgoing.message, outgoing.language)
        return [_Draft(text, _content(template, {"1": text}), in_template=True)]

    async def _draft(self, outgoing: Outgoing, part: Text | Interactive) -> "_Draft":
        if isinstance(part, Interactive):
            return _Draft(part.body, _content(await self._content_sid(part), part.variables))
        if part.file and outgoing.file and outgoing.file.content_type in _MEDIA_TYPES:
            fields = {"body": part.body} if part.body else {}
            return _Draft(part.body, fields | {"media_url": [outgoing.file.url]}, has_file=True)
        url = outgoing.file.url if part.file and outgoing.file else ""
        body = "\n".join(filter(None, (part.body, url))) or "…"
        return _Draft(body, {"body": body})

    async def _create(self, outgoing: Outgoing, draft: "_Draft", report_url: str) -> str:
        try:
            with _translated_errors(sending=True):
                message = await self._client.messages.create_async(
                    outgoing.address, from_=self._sender, status_callback=report_url, **draft.fields
                )
        except _ContentGone as error:
            self._contents = None
            raise NotSent(str(error)) from error
        return str(message.sid)

    async def _accepted(self, outgoing: Outgoing) -> list[MessageInstance]:
        """The messages that may be this one: to this person, since it was written."""
        with _translated_errors(sending=False):
            recent = await self._client.messages.list_async(to=outgoing.address, from_=self._sender, limit=_RECENT)
        since = outgoing.written_at - _CLOCK_SKEW
        return [
            each
            for each in recent
            if each.sid not in outgoing.others
            and each.status not in FAILED
            and (each.date_created and each.date_created >= since)
        ]

    async def _content_sid(self, part: Interactive) -> str:
        """The Content of this shape, made if Twilio has none; raises `_NoContents`."""
        now = asyncio.get_running_loop().time
        async with self._making:
            if part.name not in (self._contents or {}) and now() < self._contents_again_at:
                raise _NoContents
            try:
                with _translated_errors(sending=False):
                    return await self._find_or_make_content(part)
            except (NotSent, Undeliverable) as error:
                _log.warning("WhatsApp messages go out without buttons for now: %s", error)
                self._contents_again_at = now() + self._without_contents
                raise _NoContents from error

    async def _find_or_make_content(self, part: Interactive) -> str:
        if self._contents is None:
            listed = await self._client.content.v1.contents.list_async(page_size=500, limit=_MOST_CONTENTS)
            self._contents = {each.friendly_name: each.sid for each in listed if each.friendly_name and each.sid}
        if part.name not in self._contents:
            self._contents[part.name] = await self._make_content(part)
        return self._contents[part.name]

    async def _make_content(self, part: Interactive) -> str:
        shape = {"friendly_name": part.name, "language": "id", "types": part.types}
        samples = {"variables": dict.fromkeys(part.variables, "–")}
        made = await self._client.content.v1.contents.create_async(ContentList.ContentCreateRequest(shape | samples))
        return str(made.sid)


def _form(message: MessageInstance) -> dict[str, str]:
    """A listed message in the webhook's fields, and when it was sent."""
    fields = {"MessageSid": str(message.sid), "From": message.from_ or "", "Body": clean(message.body or "")}
    return fields | ({"DateSent": message.date_sent.isoformat()} if message.date_sent else {})


@dataclass(frozen=True, slots=True)
class _Draft:
    """One message to create."""

    text: str
    """By which it is found again."""
    fields: dict[str, Any]
    has_file: bool = False
    in_template: bool = False
    """Whether a template's own words stand around the text."""


def _content(sid: str, variables: Mapping[str, str]) -> dict[str, Any]:
    return {"content_sid": sid, "content_variables": json.dumps(variables, ensure_ascii=False)}


def _find(draft: _Draft, accepted: list[MessageInstance]) -> str | None:
    """The sid of an accepted draft; one without text can't be told from others, and is rather sent twice than not."""
    text = one_line(draft.text)
    if not text:
        return None
    for message in accepted:
        body = one_line(message.body or "")
        same = text in body if draft.in_template else text == body
        if same and (int(message.num_media or 0) > 0) == draft.has_file:
            return str(message.sid)
    return None


async def _read_body(answer: ClientResponse) -> bytes | None:
    """The body, or None if it is larger than a photo may be."""
    content = bytearray()
    async for chunk in answer.content.iter_chunked(1 << 16):
        content += chunk
        if len(content) > MOST_BYTES:
            return None
    return bytes(content)


class _NoContents(Exception):
    """Contents can be neither listed nor made now."""


class _ContentGone(Exception):
    """Twilio doesn't have the Content any more."""


@contextmanager
def _translated_errors(*, sending: bool) -> Iterator[None]:
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as error:
        raise _translated(error.status, error.code, str(error)) from error
    except (ClientConnectorError, ConnectionTimeoutError) as error:
        raise NotSent(f"Twilio can't be reached: {error}") from error
    except (ClientError, TimeoutError, TwilioException, ValueError) as error:
        raise (Unclear if sending else NotSent)(f"no clear answer from Twilio: {error!r}") from error


def _translated(status: int, code: int | None, text: str) -> Exception:
    reason = f"{code}: {text}"
    if code == _OUTSIDE_WINDOW:
        return OutsideWindow(reason)
    if code == _NO_SUCH_CONTENT:
        return _ContentGone(reason)
    if code in _RATE_LIMITED or status == HTTPStatus.UNAUTHORIZED or _is_temporary(status):
        return NotSent(reason)
    return Undeliverable(reason, unreachable=code in _NOT_ON_WHATSAPP)


def _is_temporary(status: int) -> bool:
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS


class _Http(AsyncTwilioHttpClient):  # type: ignore[misc]
    """Twilio's asynchronous client with its defects fixed: it ignores its timeout, passes credentials in a way that
    aiohttp deprecates, sends forms where the Content API wants JSON, drops Retry-After, and only knows Twilio's hosts.

    (Its `max_retries` would send messages twice.)
    """

    def __init__(self, hosts: Mapping[str, str], timeout: timedelta) -> None:
        super().__init__(pool_connections=False)
        self._timeout = timeout.total_seconds()
        self.session = ClientSession(timeout=ClientTimeout(total=self._timeout, sock_connect=5))
        self._hosts = hosts
        self.logger.setLevel(logging.WARNING)  # at INFO it logs phone numbers

    async def request(
        self, method: str, url: str, *, headers: dict[str, str], data: Any = None, auth: tuple[str, str], **rest: Any
    ) -> Response:
        for host, configured in self._hosts.items():
            url = url.replace(host, configured.rstrip("/"), 1)
        if data and headers.get("Content-Type") == "application/json":
            data = json.dumps(data)
        headers = headers | {"Authorization": encode_basic_auth(*auth)}
        async with asyncio.timeout(self._timeout):  # the library turns its session's timeout off
            answer = await super().request(method, url, headers=headers, data=data, **rest)
        if _is_temporary(answer.status_code) and (wait := retry_after(answer.headers)) is not None:
            raise NotSent(f"{answer.status_code}: Twilio asks us to wait", wait)
        return answer
