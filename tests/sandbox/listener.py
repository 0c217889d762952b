"""A clock that tests move, and a server that records the calls to its webhooks."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import web
from multidict import CIMultiDict, MultiDict


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def move(self, span: timedelta) -> None:
        self.now += span


@dataclass
class Call:
    """A call to a webhook."""

    path: str
    headers: CIMultiDict[str]
    form: MultiDict[str] | None
    update: dict | None


@dataclass
class Shop:
    """Records webhook calls and responds with the next status in `answers`, else 200."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Content type and bytes of the files under /files/."""
    fetched: list[tuple[str, str]] = field(default_factory=list)

    @property
    def updates(self) -> list[dict]:
        return [call.update for call in self.calls if call.update]

    @property
    def statuses(self) -> list[str]:
        return [call.form["MessageStatus"] for call in self.calls if call.form and "MessageStatus" in call.form]

    async def webhook(self, request: web.Request) -> web.Response:
        is_json = request.content_type == "application/json"
        form = None if is_json else MultiDict(await request.post())
        update = await request.json() if is_json else None
        self.calls.append(Call(request.path, CIMultiDict(request.headers), form, update))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def file(self, request: web.Request) -> web.Response:
        self.fetched.append((request.method, request.match_info["name"]))
        if request.match_info["name"] not in self.files:
            raise web.HTTPNotFound
        content_type, content = self.files[request.match_info["name"]]
        headers = {"Content-Disposition": f'inline; filename="{request.match_info["name"]}"'}
        return web.Response(body=content, content_type=content_type, headers=headers)
