"""An endpoint: a handler together with its route, rights and types.

    @endpoint("GET", "/api/spareparts/{id}", who=Who.ANYONE)
    async def sparepart(call: Call) -> Sparepart: ...

`query` and `body` parameters are pydantic models, validated before the handler runs; its result is put into api.md's
envelope; and the OpenAPI document is generated from the same types (`openapi`).

    request ── address's limit ── who? ── user's limit ── query, body ── handler ── envelope
"""

import json
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from typing import Any, Generic, TypeVar, get_type_hints

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from conversations.texts import render
from core.context import Context
from core.db.database import Database
from core.db.tables import PaymentRequest
from core.limits import Limiter
from core.messaging.messages import Say
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

T = TypeVar("T")


class Who(Enum):
    """Who may call an endpoint; the handler checks whose booking it is."""

    ANYONE = "anyone"
    USER = "any signed-in user"
    STAFF = "admins and technicians"
    ADMIN = "admins"


@dataclass(frozen=True, kw_only=True)
class Api:
    """What handlers need, built once by `bot.app`."""

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
    rate_limit: str = "off"
    behind_proxy: bool = False
    """Whether our own proxy appends the caller's address to X-Forwarded-For."""

    @cached_property
    def by_user(self) -> Limiter:
        return Limiter(self.rate_limit)

    @cached_property
    def by_address(self) -> Limiter:
        return Limiter(self.rate_limit, times=USERS_AT_AN_ADDRESS)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, passed to its handler."""

    api: Api
    request: web.Request
    now: datetime
    caller: User | None
    files: list[bytes] = field(default_factory=list)
    """The files of a multipart body."""

    @property
    def id(self) -> str:
        return self.request.match_info["id"]

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Context]:
        async with self.api.database.read() as session:
            yield Context(session, self.api.shop, self.now)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Context]:
        """One transaction; after its commit the workers send what is in the outbox."""
        async with self.api.database.write() as session:
            yield Context(session, self.api.shop, self.now)
        self.api.wake()

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


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: Sequence[T]
    total: int
    """How many items the whole list has."""
    message: str | None = None


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
    takes_files: bool

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
                result = await self.run(call, **given)
            except (Refusal, Denied) as error:  # a ValidationError from here on is a bug
                return failed(request, error)
            return _envelope(adapter, result, self.status)

        return web.route(self.method, self.path, handle) if self.method != "GET" else web.get(self.path, handle)

    async def _let_in(self, api: Api, request: web.Request) -> Call:
        now = api.clock()
        if self.method in WRITES:
            _limit(api.by_address, _address(request, api), now)
        caller = await self._identify(api, request, now)
        if self.method in WRITES and caller is not None:
            _limit(api.by_user, caller.id, now)
        if "id" in request.match_info and not re.fullmatch(IDENTIFIER, request.match_info["id"]):
            raise NotFound
        return Call(api, request, now, caller)

    async def _given(self, call: Call) -> dict[str, BaseModel]:
        request, given = call.request, {}
        if self.query is not None:
            given["query"] = self.query.model_validate({name: text for name, text in request.query.items() if text})
        if self.body is not None and self.takes_files and request.content_type == "multipart/form-data":
            fields, files = await read_form(request)
            given["body"] = self.body.model_validate(fields)
            call.files.extend(files)
        elif self.body is not None:
            if request.content_type not in ("application/json", "application/octet-stream"):
                raise Denied(415, "unsupported_media_type")
            given["body"] = self.body.model_validate_json(await request.read() or b"{}")
        return given

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
    takes_files: bool = False,
) -> Callable[[Callable[..., Awaitable[object]]], Endpoint]:
    """Make a handler an endpoint; `also`: statuses that it may answer beside the usual ones.

    `takes_files`: it also takes a multipart body, whose files are in `Call.files`.
    """

    def made(run: Callable[..., Awaitable[object]]) -> Endpoint:
        return Endpoint(run, method, path, who, status, also, takes_files)

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


def _envelope(adapter: TypeAdapter[Any], result: object, status: int) -> web.Response:
    content = list(result.items) if isinstance(result, Page) else result.body if isinstance(result, Whole) else result
    plain = adapter.dump_python(content, mode="json", by_alias=True)
    body = {"success": True} | (plain if isinstance(result, Whole) else {"data": plain})
    if isinstance(result, Page):
        body |= {"total": result.total} | ({"message": result.message} if result.message else {})
    return web.json_response(text=json.dumps(body, ensure_ascii=False), status=status)
