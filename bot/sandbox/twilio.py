"""Stand-in for Twilio's REST API: WhatsApp messages, their media, and content templates.

https://www.twilio.com/docs/messaging/api/message-resource
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from aiohttp import encode_basic_auth, web

from bot.sandbox.hub import Faults, Media
from bot.sandbox.twilio_chats import API_VERSION, Message, WhatsApp, media_sid
from bot.sandbox.twilio_content import ApiError, Content, Rendered, approval_rejection, content_from, render
from bot.sandbox.twilio_sending import process

ACCOUNT_SID = re.compile(r"AC0{24}[0-9a-f]{8}")
"""No real account begins with twenty-four zeros."""
BODY_LIMIT = 1600
T = TypeVar("T")
Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TwilioApi:
    """The API of one account: the paths of both api.twilio.com and content.twilio.com."""

    def __init__(self, chats: WhatsApp) -> None:
        self.chats = chats
        self.contents: dict[str, Content] = {}
        self.faults = Faults()

    def routes(self) -> list[web.RouteDef]:
        """Routes under Twilio's own paths."""
        account = f"/{API_VERSION}/Accounts/{{account}}"
        message = account + r"/Messages/{message:\w+}"
        return [
            web.get(account + ".json", self._guarded(self._account)),
            web.post(account + "/Messages.json", self._guarded(self._create)),
            web.get(account + "/Messages.json", self._guarded(self._list)),
            web.get(message + ".json", self._guarded(self._show)),
            web.get(message + "/Media.json", self._guarded(self._list_media)),
            web.get(message + r"/Media/{media:\w+}.json", self._guarded(self._show_media)),
            web.get(message + r"/Media/{media:\w+}", self._guarded(self._redirect_to_media)),
            web.get(r"/twilio-media/{media:\w+}", self._media),
            web.post("/v1/Content", self._guarded(self._create_content)),
            web.get("/v1/Content", self._guarded(self._list_contents)),
            web.get(r"/v1/Content/{content:\w+}", self._guarded(self._show_content)),
            web.delete(r"/v1/Content/{content:\w+}", self._guarded(self._delete_content)),
            web.post(r"/v1/Content/{content:\w+}/ApprovalRequests/whatsapp", self._guarded(self._approve)),
            web.get(r"/v1/Content/{content:\w+}/ApprovalRequests", self._guarded(self._approval)),
        ]

    def add_template(self, sid: str, body: dict[str, Any]) -> None:
        """Add an approved template with the ContentSid that the settings name."""
        self.contents[sid] = content_from(sid, body)
        self.contents[sid].approved = True

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                self._authenticate(request)
                return await endpoint(request)
            except ApiError as error:
                return web.json_response(error.to_json(), status=error.status)

        async def call(request: web.Request) -> web.StreamResponse:
            return await self.faults.handle(request, answer)

        return call

    def _authenticate(self, request: web.Request) -> None:
        account = self.chats.account
        expected = encode_basic_auth(account.sid, account.auth_token)
        named = request.match_info.get("account", account.sid)
        if request.headers.get("Authorization") != expected or named != account.sid:
            raise ApiError(401, 20003, "Authenticate")

    async def _account(self, request: web.Request) -> web.Response:
        return web.json_response({"sid": self.chats.account.sid, "status": "active", "friendly_name": "Simulasi"})

    async def _create(self, request: web.Request) -> web.Response:
        form = await request.post()
        values = {name: value for name, value in form.items() if isinstance(value, str)}
        links = [value for value in form.getall("MediaUrl", []) if isinstance(value, str)]
        self._check_addresses(values)
        content, rendered = self._render(values, links)
        message = Message(
            self.chats.sid("MM" if rendered.media else "SM"), "outbound-api", values["From"], values["To"],
            rendered.body, "queued", self.chats.hub.clock(), values.get("StatusCallback", ""),
        )  # fmt: skip
        self.chats.messages[message.sid] = message
        self.chats.hub.start(process(self.chats, message, content, rendered))
        return web.json_response(message.to_json(self.chats.account.sid), status=201)

    def _check_addresses(self, values: dict[str, str]) -> None:
        sender, to = values.get("From", ""), values.get("To", "")
        if not to:
            raise ApiError(400, 21604, "A 'To' phone number is required.")
        if not sender:
            raise ApiError(400, 21603, "A 'From' phone number is required.")
        if sender != f"whatsapp:{self.chats.account.sender}":
            raise ApiError(400, 63007, "Twilio could not find a Channel with the specified From address")
        if not re.fullmatch(r"whatsapp:(\+[1-9]\d{7,14}|ID\.\w+)", to):
            raise ApiError(400, 21211, f"Invalid 'To' Phone Number: {to}")

    def _render(self, values: dict[str, str], links: list[str]) -> tuple[Content | None, Rendered]:
        """The message from its template, or from its body and media links."""
        if "ContentSid" in values:
            content = self.contents.get(values["ContentSid"])
            if content is None:
                raise ApiError(400, 21655, "The ContentSid is invalid")
            return content, render(content, values.get("ContentVariables", ""))
        if "ContentVariables" in values:
            raise ApiError(400, 21654, "ContentSid Required")
        if not values.get("Body", "").strip() and not links:
            raise ApiError(400, 21619, "A text message body or media urls must be specified.")
        if len(values.get("Body", "")) > BODY_LIMIT:
            raise ApiError(400, 21617, f"The concatenated message body exceeds the {BODY_LIMIT} character limit")
        if len(links) > 1:
            raise ApiError(400, 21623, "Number of media files exceeds allowed limit")
        if any(not re.match(r"https?://", link) for link in links):
            raise ApiError(400, 21620, "Invalid media URL(s)")
        return None, Rendered(values.get("Body", ""), media=tuple(links))

    async def _list(self, request: web.Request) -> web.Response:
        """Messages, newest first, filtered by recipient, sender and date or time of sending."""
        query = request.query
        found = [
            message
            for message in reversed(self.chats.messages.values())
            if query.get("To", message.to) == message.to
            and query.get("From", message.sender) == message.sender
            and _sent_within(message, query.get("DateSent>"), query.get("DateSent<"), query.get("DateSent"))
        ]
        size, page = min(int(query.get("PageSize", "50")), 1000), int(query.get("Page", "0"))
        more = {**query, "Page": str(page + 1)} if len(found) > (page + 1) * size else None
        return web.json_response(
            {
                "messages": [self._json(message) for message in found[page * size : (page + 1) * size]],
                "page": page,
                "page_size": size,
                "next_page_uri": f"{request.path}?{urlencode(more)}" if more else None,
            }
        )

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response(self._json(self._message(request)))

    async def _list_media(self, request: web.Request) -> web.Response:
        message = self._message(request)
        return web.json_response({"media_list": [self._media_json(message, media) for media in message.media]})

    async def _show_media(self, request: web.Request) -> web.Response:
        message = self._message(request)
        return web.json_response(self._media_json(message, self._file(request, message)))

    async def _redirect_to_media(self, request: web.Request) -> web.Response:
        """Redirect to a URL that needs no password, as Twilio does."""
        media = self._file(request, self._message(request))
        return web.Response(status=307, headers={"Location": f"{self.chats.hub.url}/twilio-media/{media_sid(media)}"})

    async def _media(self, request: web.Request) -> web.Response:
        for media in self.chats.hub.media.values():
            if media_sid(media) == request.match_info["media"]:
                return web.Response(body=media.content, content_type=media.content_type)
        raise web.HTTPNotFound

    async def _create_content(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            raise ApiError(415, 20415, "Unsupported Media Type")
        try:
            body = await request.json()
        except ValueError:
            raise ApiError(400, 20001, "Bad request: the body isn't JSON") from None
        content = content_from(self.chats.sid("HX"), body)
        self.contents[content.sid] = content
        return web.json_response(self._content_json(content), status=201)

    async def _list_contents(self, request: web.Request) -> web.Response:
        contents = [self._content_json(content) for content in self.contents.values()]
        meta = {"key": "contents", "page": 0, "page_size": len(contents), "next_page_url": None}
        return web.json_response({"contents": contents, "meta": meta})

    async def _show_content(self, request: web.Request) -> web.Response:
        return web.json_response(self._content_json(self._content(request)))

    async def _delete_content(self, request: web.Request) -> web.Response:
        del self.contents[self._content(request).sid]
        return web.Response(status=204)

    async def _approve(self, request: web.Request) -> web.Response:
        """Submit a template to WhatsApp; this stand-in decides at once."""
        content = self._content(request)
        body = await request.json()
        if not re.fullmatch(r"[a-z0-9_]+", str(body.get("name"))):
            raise ApiError(400, 20001, "Bad request: name may hold lowercase letters, digits and _ only")
        content.approved = approval_rejection(content) is None
        return web.json_response(self._approval_json(content) | {"name": body["name"]}, status=201)

    async def _approval(self, request: web.Request) -> web.Response:
        content = self._content(request)
        approval = self._approval_json(content)
        return web.json_response({"sid": content.sid, "account_sid": self.chats.account.sid, "whatsapp": approval})

    def _message(self, request: web.Request) -> Message:
        return _found(self.chats.messages, request.match_info["message"], request)

    def _content(self, request: web.Request) -> Content:
        return _found(self.contents, request.match_info["content"], request)

    def _file(self, request: web.Request, message: Message) -> Media:
        return _found({media_sid(media): media for media in message.media}, request.match_info["media"], request)

    def _json(self, message: Message) -> dict[str, Any]:
        return message.to_json(self.chats.account.sid)

    def _media_json(self, message: Message, media: Media) -> dict[str, Any]:
        uri = f"/{API_VERSION}/Accounts/{self.chats.account.sid}/Messages/{message.sid}/Media/{media_sid(media)}.json"
        return {
            "sid": media_sid(media),
            "account_sid": self.chats.account.sid,
            "parent_sid": message.sid,
            "content_type": media.content_type,
            "uri": uri,
        }

    def _content_json(self, content: Content) -> dict[str, Any]:
        url = f"https://content.twilio.com/v1/Content/{content.sid}"
        return {
            "sid": content.sid,
            "account_sid": self.chats.account.sid,
            "friendly_name": content.friendly_name,
            "language": content.language,
            "variables": dict(content.variables),
            "types": {content.type: content.fields},
            "url": url,
            "links": {"approval_fetch": f"{url}/ApprovalRequests"},
        }

    def _approval_json(self, content: Content) -> dict[str, Any]:
        reason = "" if content.approved else approval_rejection(content)
        status = "approved" if content.approved else "unsubmitted" if reason is None else "rejected"
        return {"status": status, "rejection_reason": reason or "", "content_type": content.type}


def _found(things: Mapping[str, T], sid: str, request: web.Request) -> T:
    if sid not in things:
        raise ApiError(404, 20404, f"The requested resource {request.path} was not found")
    return things[sid]


def _sent_within(message: Message, since: str | None, until: str | None, on: str | None) -> bool:
    """Twilio's DateSent>=, DateSent<= and DateSent= filters, each a date or a time (UTC)."""
    first, last = (_span(since or on)[0], _span(until or on)[1])
    return (first is None or message.at >= first) and (last is None or message.at <= last)


def _span(given: str | None) -> tuple[datetime | None, datetime | None]:
    if given is None:
        return None, None
    moment = datetime.fromisoformat(given)
    if len(given) == len("2026-11-23"):
        return moment.replace(tzinfo=UTC), moment.replace(tzinfo=UTC) + timedelta(days=1)
    return moment, moment
