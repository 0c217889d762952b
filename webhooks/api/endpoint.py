"""An endpoint: a handler together with its route, rights and types.

    @endpoint("GET", "/api/spareparts/{id}", who=Who.ANYONE)
    async def sparepart(call: Call) -> Sparepart: ...

`query` and `body` parameters are pydantic models, validated before the handler runs; its result is put into api.md's
envelope; and the OpenAPI document is generated from the same types (`openapi`).

    request ── address's limit ── who? ── user's limit ── query, body ── handler ── envelope
                                    write: key's first answer? ──────────┴── change, answer: one transaction
"""

import json
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from hashlib import sha256
from typing import Any, Generic, TypeVar, get_type_hints

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from conversations.texts import render
from core import idempotency
from core.catalogue.snapshot import Newest
from core.context import Context
from core.db.database import Database
from core.db.tables import PaymentRequest
from core.limits import Limiter
from core.messaging.messages import Say, say
from core.refusals import NotFound, Refusal
from core.shop import Shop
from webhooks.api.answers import Denied, failed
from webhooks.api.auth import Clerk, User
from webhooks.api.forms import read_form
from webhooks.app import language_of

IDENTIFIER = r"[A-Za-z0-9_\-]{1,64}"
"""The format of ids; any other id is not found."""
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
USERS_AT_AN_ADDRESS = 5
"""An address may make this many users' writes: a family, the shop's office."""

IDEMPOTENCY_KEY = r"[!-~]{1,200}"

T = TypeVar("T")


class Who(Enum):
    """Who may call an endpoint; the handler checks whose booking it is."""

    ANYONE = "anyone"
    USER = "any signed-in user"
    STAFF = "admins and technicians"
    ADMIN = "admins"


@dataclass(kw_only=True)
class Api:
    """What handlers need, built once by `bot.app`; only the shop's settings change (`use`)."""

    database: Database
    shop: Shop
    clock: Callable[[], datetime]
    fresh: Callable[[], str]
    wake: Callable[[], None]
    """Called when there may be messages to send."""
    clerk: Clerk | None
    """None: sign-in is off."""
    pay_link: Callable[[PaymentRequest], Awaitable[PaymentRequest | None]] | None
    """A request with its payment link, None while Midtrans doesn't answer; no function if payment is off."""
    file_link: Callable[[str, str], str]
    """The signed URL of a file, by kind and id."""
    keep_photo: Callable[[bytes], Awaitable[str]]
    """Stores a photo and returns its key; raises `BadPhotos`."""
    shop_changed: Callable[[Shop], None] = lambda _: None
    """Called when an admin has changed the shop's settings."""
    newest: Newest = field(default_factory=Newest)
    """The catalogue, shared with the chats."""
    rate_limit: str = "off"
    behind_proxy: bool = False
    """Whether our own proxy appends the caller's address to X-Forwarded-For."""

    def use(self, shop: Shop) -> None:
        self.shop = shop
        self.shop_changed(shop)

    @cached_property
    def by_user(self) -> Limiter:
        return Limiter(self.rate_limit)

    @cached_property
    def by_address(self) -> Limiter:
        return Limiter(self.rate_limit, times=USERS_AT_AN_ADDRESS)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Mapping[str, Any]


class Repeated(Exception):
    """The call's Idempotency-Key was answered before."""

    def __init__(self, first: Answer) -> None:
        super().__init__(first.status)
        self.first = first


@dataclass(slots=True)
class Call:
    """One request, passed to its handler."""

    api: Api
    request: web.Request
    now: datetime
    caller: User | None
    files: list[bytes] = field(default_factory=list)
    """The files of a multipart body."""
    digest: str = ""
    """What makes a repeated request the same one."""
    message: Say | None = None
    """What the answer says, if not `api.done.<name of the handler>`."""
    opened: AsyncExitStack = field(default_factory=AsyncExitStack)
    _writing: Context | None = None

    @property
    def id(self) -> str:
        return self.request.match_info["id"]

    @property
    def key(self) -> str | None:
        return self.request.headers.get("Idempotency-Key") if self.request.method in WRITES else None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Context]:
        async with self.api.database.read() as session:
            yield Context(session, self.api.shop, self.now)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Context]:
        """The request's one transaction: the endpoint commits it together with the stored answer.

        Raises `Repeated` and `IdempotencyKeyReused`.
        """
        if self._writing is None:
            session = await self.opened.enter_async_context(self.api.database.write())
            self._writing = Context(session, self.api.shop, self.now)
            await self._begin(self._writing)
        yield self._writing

    async def commit(self) -> None:
        """Commit, and wake the workers, who send what is in the outbox; called before a vendor is asked."""
        if self._writing is not None:
            self._writing = None
            await self.opened.aclose()
            self.api.wake()

    async def keep(self, answer: Answer) -> None:
        """Store the answer for a repeated request, in the transaction of the change."""
        if self.key is None:
            return
        async with self.write() as ctx:
            stored = {"status": answer.status, "body": answer.body}
            await idempotency.finish(ctx.session, owner=self.user.id, key=self.key, answer=stored)

    def render(self, text: Say) -> str:
        """The text in the caller's language."""
        return render(text, language_of(self.request))

    @property
    def user(self) -> User:
        """The signed-in caller; raises `Denied` (401) if there is none."""
        if self.caller is None:
            raise Denied(401, "unauthorized")
        return self.caller

    @property
    def member(self) -> str:
        """The name of the member of staff who calls; raises `Denied` for anybody else."""
        if self.user.staff is None:
            raise Denied(403, "forbidden")
        return self.user.staff.name

    async def _begin(self, ctx: Context) -> None:
        if self.key is None:
            return
        first = await idempotency.begin(ctx.session, owner=self.user.id, key=self.key, digest=self.digest, now=self.now)
        if first is not None:
            raise Repeated(Answer(first["status"], first["body"]))


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: Sequence[T]
    total: int
    """How many items the whole list has."""


@dataclass(frozen=True, slots=True)
class Whole(Generic[T]):
    """A body with its own top-level fields beside `success`."""

    body: T


@dataclass(eq=False)
class Endpoint:
    """A handler with its route, rights and types."""

    run: Callable[..., Awaitable[object]]
    method: str
    path: str
    who: Who
    status: int
    also: Sequence[int]
    files: str | None

    def __post_init__(self) -> None:
        self.name, types = self.run.__name__, get_type_hints(self.run)
        self.query: type[BaseModel] | None = types.get("query")
        self.body: type[BaseModel] | None = types.get("body")
        self.returns: Any = types["return"]

    def route(self, api: Api) -> web.RouteDef:
        """The aiohttp route; GET includes HEAD."""
        adapter: TypeAdapter[Any] = TypeAdapter(inner(self.returns))

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                call = await self._let_in(api, request)
                given = await self._given(call)
            except (Refusal, ValidationError, Denied) as error:
                return failed(request, error)
            try:
                answer = await self._change(call, given, adapter)
            except (Refusal, Denied) as error:  # a ValidationError from here on is a bug
                return failed(request, error)
            return web.json_response(text=json.dumps(answer.body, ensure_ascii=False), status=answer.status)

        return web.route(self.method, self.path, handle) if self.method != "GET" else web.get(self.path, handle)

    async def _change(self, call: Call, given: Mapping[str, BaseModel], adapter: TypeAdapter[Any]) -> Answer:
        """Run the handler; what it wrote is committed with its answer, or rolled back with its refusal."""
        try:
            async with call.opened:
                answer = Answer(self.status, self._envelope(call, adapter, await self.run(call, **given)))
                await call.keep(answer)
                await call.commit()
        except Repeated as repeated:
            return repeated.first
        return answer

    async def _let_in(self, api: Api, request: web.Request) -> Call:
        now = api.clock()
        if self.method in WRITES:
            _limit(api.by_address, _address(request, api), now)
        caller = await self._identify(api, request, now)
        if self.method in WRITES and caller is not None:
            _limit(api.by_user, caller.id, now)
        if "id" in request.match_info and not re.fullmatch(IDENTIFIER, request.match_info["id"]):
            raise NotFound
        call = Call(api, request, now, caller)
        if call.key is not None and not re.fullmatch(IDEMPOTENCY_KEY, call.key):
            raise Denied(400, "bad_idempotency_key")
        return call

    async def _given(self, call: Call) -> dict[str, BaseModel]:
        request: web.Request = call.request
        given: dict[str, BaseModel] = {}
        context = {"shop": call.api.shop, "is_admin": call.caller is not None and call.caller.is_admin}
        if self.query is not None:
            given["query"] = self.query.model_validate({**request.query}, context=context)
        content = b""
        if self.body is not None and self.files and request.content_type == "multipart/form-data":
            fields, call.files = await read_form(request)
            given["body"] = self.body.model_validate(fields, context=context)
            # A repeated form comes with another boundary.
            content = json.dumps([fields, [sha256(file).hexdigest() for file in call.files]], sort_keys=True).encode()
        elif self.body is not None:
            if request.content_type not in ("application/json", "application/octet-stream"):
                text = "unsupported_media_type.form" if self.files else ""
                raise Denied(415, "unsupported_media_type", text=text)
            content = await request.read()
            given["body"] = self.body.model_validate_json(content or b"{}", context=context)
        call.digest = sha256(f"{request.method} {request.path_qs}\n".encode() + content).hexdigest()
        return given

    def _envelope(self, call: Call, adapter: TypeAdapter[Any], result: object) -> dict[str, Any]:
        content = (
            list(result.items) if isinstance(result, Page) else result.body if isinstance(result, Whole) else result
        )
        plain = adapter.dump_python(content, mode="json", by_alias=True)
        body = {"success": True} | (plain if isinstance(result, Whole) else {"data": plain})
        if isinstance(result, Page):
            body["total"] = result.total
        done = say(f"api.done.{self.name}") if self.method in WRITES else None
        if text := call.message or done:
            body["message"] = call.render(text)
        return body

    async def _identify(self, api: Api, request: web.Request, now: datetime) -> User | None:
        header, is_public = request.headers.get("Authorization"), self.who is Who.ANYONE
        if is_public and (api.clerk is None or header is None):
            return None
        if api.clerk is None:
            raise Denied(503, "sign_in_off")
        try:
            user = await api.clerk.user(header, now)
        except Denied:
            if is_public:  # an invalid token counts as no token
                return None
            raise
        if (self.who is Who.ADMIN and not user.is_admin) or (self.who is Who.STAFF and user.staff is None):
            raise Denied(403, "forbidden")
        return user


def endpoint(
    method: str,
    path: str,
    *,
    who: Who,
    status: int = 200,
    also: Sequence[int] = (),
    files: str | None = None,
) -> Callable[[Callable[..., Awaitable[object]]], Endpoint]:
    """Make a handler an endpoint; `also`: statuses that it may answer beside the usual ones.

    `files`: it also takes a multipart body, whose files, in a field of this name, are in `Call.files`.
    """

    def made(run: Callable[..., Awaitable[object]]) -> Endpoint:
        return Endpoint(run, method, path, who, status, also, files)

    return made


def _limit(limiter: Limiter, key: str, now: datetime) -> None:
    """Count one write; raises `Denied` (429) above the limit."""
    if (wait := limiter.wait(key, now)) > timedelta():
        raise Denied(429, "too_many_requests", retry_after=max(1, math.ceil(wait.total_seconds())))


def _address(request: web.Request, api: Api) -> str:
    forwarded = request.headers.getall("X-Forwarded-For", []) if api.behind_proxy else []
    return forwarded[-1].rpartition(",")[2].strip()[:64] if forwarded else request.remote or ""


def inner(returns: Any) -> Any:
    """The type within `Page[…]` (as a list) or `Whole[…]`."""
    origin = getattr(returns, "__origin__", None)
    if origin not in (Page, Whole):
        return returns
    return list[returns.__args__[0]] if origin is Page else returns.__args__[0]
