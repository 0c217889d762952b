"""WhatsApp, by Twilio's client: texts and files as messages, buttons and lists as Contents.

What may have arrived is looked up by recipient and words before it is sent again: Twilio keeps what it took.
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

from bot.channels.sending import NotSent, OutsideWindow, Parcel, Unclear, Undeliverable, of_parts, remaining
from bot.channels.text_fitting import one_line
from bot.channels.whatsapp_render import Interactive, Text, parts, template_text
from bot.timeouts import retry_after
from conversations.incoming import Incoming, clean
from core.media import MOST_BYTES
from core.upkeep.delivery_reports import FAILED, Report
from webhooks.twilio import read, status_url

API = "https://api.twilio.com"
CONTENT = "https://content.twilio.com"

_OUTSIDE_WINDOW = 63016
_TOO_FAST = {20429, 63018}
_NO_SUCH_CONTENT = 21655
_NOT_ON_WHATSAPP = {21211, 63003, 63024}
_CLOCKS_APART = timedelta(minutes=1)
"""How much earlier than by our clock a message may have been taken by Twilio's."""
_RECENT = 50
_PAGE = 1000

_FILES = ("application/pdf", "image/jpeg", "image/png", "image/webp")
"""Of what we have, what Twilio attaches; it rejects a message with anything else, so that goes as a link.

Source: https://www.twilio.com/docs/messaging/guides/accepted-mime-types
"""

_log = logging.getLogger(__name__)

Templates = Mapping[str, Mapping[str, str]]
"""By kind and language, the ContentSid of an approved template with one variable: the message's words."""


class WhatsAppSender:
    """Delivers to WhatsApp; built inside the running loop, closed in the end."""

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
    ) -> None:
        self._http = _Http({API: api_url, CONTENT: content_url}, timeout)
        self._credentials = (account_sid, auth_token)
        self._media = tuple(f"{host.rstrip('/')}/" for host in {API, api_url})
        """Where Twilio offers files: nobody else is shown our credentials."""
        self._client = Client(account_sid, auth_token, http_client=self._http)
        self._sender = sender if sender.startswith("whatsapp:") else f"whatsapp:{sender}"
        self._public_url = public_url
        self._templates = templates
        self._contents: dict[str, str] | None = None
        """ContentSids by friendly name, None until Twilio was asked what it has."""
        self._making = asyncio.Lock()

    async def send(self, parcel: Parcel) -> str | None:
        """Deliver every part that Twilio doesn't have yet; the id is the last one's.

        Raises `OutsideWindow` when there is neither a session nor a template for this kind.
        """
        with of_parts(parcel.parts_left):
            taken = await self._taken(parcel) if parcel.attempts else []
            posts = await self._posts(parcel)
        last = None
        for left, post in remaining(parcel, posts):
            with of_parts(left):
                reports = status_url(self._public_url, parcel.id, is_last_part=left == 1)
                last = _found(post, taken) or await self._create(parcel, post, reports)
        return last

    async def fetch(self, url: str) -> bytes | None:
        """The bytes of a photo that somebody sent; None where it is too large, or Twilio doesn't give it."""
        if not url.startswith(self._media):
            return None
        headers = {"Authorization": encode_basic_auth(*self._credentials)}
        try:
            async with self._http.session.get(url, headers=headers) as answer:
                return await _bounded(answer) if answer.status == HTTPStatus.OK else None
        except (ClientError, TimeoutError) as error:
            _log.info("a photo was not fetched: %r", error)
            return None

    async def missed(self, since: datetime, until: datetime | None = None) -> list[Incoming]:
        """What people wrote since then (and until then), oldest first: Twilio drops a message whose webhook failed twice, but keeps it.

        Taps come as the words on the button, photos not at all. Raises `NotSent` while Twilio is away.
        """
        with _told_apart(sending=False):
            written = await self._client.messages.list_async(
                to=self._sender,
                date_sent_after=since.astimezone(UTC),
                date_sent_before=until.astimezone(UTC) if until else values.unset,
                page_size=_PAGE,
            )
        forms = (
            {"MessageSid": each.sid, "From": each.from_, "Body": clean(each.body or "")} for each in reversed(written)
        )
        return [found for form in forms if (found := read(form))]

    async def failures(self, since: datetime) -> list[Report]:
        """What of ours failed since then, after Twilio took it. Raises `NotSent` while Twilio is away."""
        with _told_apart(sending=False):
            ours = await self._client.messages.list_async(
                from_=self._sender, date_sent_after=since.astimezone(UTC), page_size=_PAGE
            )
        return [
            Report(str(each.sid), str(each.status), str(each.error_code) if each.error_code else None)
            for each in ours
            if each.status in FAILED
        ]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _posts(self, parcel: Parcel) -> list["_Post"]:
        if parcel.in_session:
            return [await self._post(parcel, part) for part in parts(parcel.message, parcel.language)]
        template = self._templates.get(parcel.kind, {}).get(parcel.language)
        if template is None:
            raise OutsideWindow(f"no template for {parcel.kind} in {parcel.language}")
        words = template_text(parcel.message, parcel.language)
        return [_Post(words, _content(template, {"1": words}), is_part_of_body=True)]

    async def _post(self, parcel: Parcel, part: Text | Interactive) -> "_Post":
        if isinstance(part, Interactive):
            return _Post(part.body, _content(await self._content_sid(part), part.variables))
        words = {"body": part.body} if part.body else {}
        if part.file and parcel.file and parcel.file.content_type not in _FILES:
            linked = "\n".join(filter(None, (part.body, parcel.file.url)))
            return _Post(linked, {"body": linked})
        if part.file and parcel.file:
            return _Post(part.body, words | {"media_url": [parcel.file.url]}, has_file=True)
        return _Post(part.body or "…", {"body": part.body or "…"})

    async def _create(self, parcel: Parcel, post: "_Post", reports: str) -> str:
        try:
            with _told_apart(sending=True):
                message = await self._client.messages.create_async(
                    parcel.address, from_=self._sender, status_callback=reports, **post.fields
                )
        except _ContentGone as error:
            self._contents = None
            raise NotSent(str(error)) from error
        return str(message.sid)

    async def _taken(self, parcel: Parcel) -> list[MessageInstance]:
        """What Twilio took for this person since the parcel was written, and may be it."""
        with _told_apart(sending=False):
            recent = await self._client.messages.list_async(to=parcel.address, from_=self._sender, limit=_RECENT)
        since = parcel.written_at - _CLOCKS_APART if parcel.written_at else None
        return [
            each
            for each in recent
            if each.sid not in parcel.others
            and each.status not in FAILED
            and (since is None or (each.date_created and each.date_created >= since))
        ]

    async def _content_sid(self, part: Interactive) -> str:
        """The Content of that shape, made if Twilio has none."""
        async with self._making:
            with _told_apart(sending=False):
                if self._contents is None:
                    listed = await self._client.content.v1.contents.list_async(page_size=500)
                    self._contents = {
                        each.friendly_name: each.sid for each in listed if each.friendly_name and each.sid
                    }
                if part.name not in self._contents:
                    self._contents[part.name] = await self._make_content(part)
        return self._contents[part.name]

    async def _make_content(self, part: Interactive) -> str:
        shape = {"friendly_name": part.name, "language": "id", "types": part.types}
        samples = {"variables": dict.fromkeys(part.variables, "–")}
        made = await self._client.content.v1.contents.create_async(ContentList.ContentCreateRequest(shape | samples))
        return str(made.sid)


@dataclass(frozen=True, slots=True)
class _Post:
    """One message to create: its words, to find it again, and the fields for Twilio."""

    words: str
    fields: dict[str, Any]
    has_file: bool = False
    is_part_of_body: bool = False
    """A template's own words stand around these."""


def _content(sid: str, variables: Mapping[str, str]) -> dict[str, Any]:
    return {"content_sid": sid, "content_variables": json.dumps(variables, ensure_ascii=False)}


def _found(post: _Post, taken: list[MessageInstance]) -> str | None:
    """What Twilio calls a post that it has; one without words is like any other, and rather sent twice than not at all."""
    words = one_line(post.words)
    if not words:
        return None
    for message in taken:
        body = one_line(message.body or "")
        same = words in body if post.is_part_of_body else words == body
        if same and (int(message.num_media or 0) > 0) == post.has_file:
            return str(message.sid)
    return None


async def _bounded(answer: ClientResponse) -> bytes | None:
    """The body, unless it is longer than any photo may be."""
    content = bytearray()
    async for chunk in answer.content.iter_chunked(1 << 16):
        content += chunk
        if len(content) > MOST_BYTES:
            return None
    return bytes(content)


class _ContentGone(Exception):
    """Twilio has no such Content any more."""


@contextmanager
def _told_apart(*, sending: bool) -> Iterator[None]:
    """Twilio's errors as the four ways in which sending can go wrong; only a `sending` call can be unclear."""
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as error:
        raise _refused(error.status, error.code, str(error)) from error
    except (ClientConnectorError, ConnectionTimeoutError) as error:
        raise NotSent(f"Twilio can't be reached: {error}") from error
    except (ClientError, TimeoutError, TwilioException, ValueError) as error:
        raise (Unclear if sending else NotSent)(f"no clear answer from Twilio: {error!r}") from error


def _refused(status: int, code: int | None, words: str) -> Exception:
    reason = f"{code}: {words}"
    if code == _OUTSIDE_WINDOW:
        return OutsideWindow(reason)
    if code == _NO_SUCH_CONTENT:
        return _ContentGone(reason)
    if code in _TOO_FAST or status == HTTPStatus.UNAUTHORIZED or _asks_to_wait(status):
        return NotSent(reason)
    return Undeliverable(reason, unreachable=code in _NOT_ON_WHATSAPP)


def _asks_to_wait(status: int) -> bool:
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS


class _Http(AsyncTwilioHttpClient):  # type: ignore[misc]
    """Twilio's asynchronous client, mended: it ignores its timeout, signs in by a way that aiohttp gives up,
    sends forms where the Content API wants JSON, loses Retry-After, and knows no other hosts than Twilio's own.

    (Its `max_retries` would send messages twice.)
    """

    def __init__(self, hosts: Mapping[str, str], timeout: timedelta) -> None:
        super().__init__(pool_connections=False)
        self._longest = timeout.total_seconds()
        self.session = ClientSession(timeout=ClientTimeout(total=self._longest, sock_connect=5))
        self._hosts = hosts
        self.logger.setLevel(logging.WARNING)  # at INFO it logs people's numbers

    async def request(
        self, method: str, url: str, *, headers: dict[str, str], data: Any = None, auth: tuple[str, str], **rest: Any
    ) -> Response:
        """One request, to the configured host."""
        for host, ours in self._hosts.items():
            url = url.replace(host, ours.rstrip("/"), 1)
        if data and headers.get("Content-Type") == "application/json":
            data = json.dumps(data)
        headers = headers | {"Authorization": encode_basic_auth(*auth)}
        async with asyncio.timeout(self._longest):  # it asks its session for no timeout at all
            answer = await super().request(method, url, headers=headers, data=data, **rest)
        if _asks_to_wait(answer.status_code) and (wait := retry_after(answer.headers)) is not None:
            raise NotSent(f"{answer.status_code}: Twilio asks us to wait", wait)
        return answer
