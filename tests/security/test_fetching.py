"""Downloads from URLs in messages: only from the vendor, and credentials go to nobody else."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import encode_basic_auth, web
from aiohttp.test_utils import TestServer
from PIL import Image
from waiting import HANG

from bot.channels.whatsapp import WhatsAppSender
from bot.papers.photos import Photos
from core.media import MOST_BYTES, MOST_PIXELS
from core.refusals import BadPhotos

ACCOUNT, TOKEN = "AC1", "the-auth-token"


class Host:
    """A web server that records the credentials of each request."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.elsewhere = ""
        app = web.Application()
        app.add_routes([web.get("/{path:.*}", self._answer)])
        self.server = TestServer(app)

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.headers.get("Authorization"))
        match request.match_info["path"]:
            case "moved":
                raise web.HTTPFound(self.elsewhere)
            case "huge":
                return web.Response(body=bytes(MOST_BYTES + 1))
        return web.Response(body=b"photo")


@pytest.fixture
async def twilio() -> AsyncIterator[Host]:
    host = Host()
    async with host.server:
        yield host


@pytest.fixture
async def stranger() -> AsyncIterator[Host]:
    host = Host()
    async with host.server:
        yield host


@pytest.fixture
async def sender(twilio: Host) -> AsyncIterator[WhatsAppSender]:
    sender = WhatsAppSender(
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        sender="+622100",
        public_url="https://bot.example",
        templates={},
        api_url=str(twilio.server.make_url("")),
        timeout=timedelta(seconds=HANG),
    )
    yield sender
    await sender.close()


async def test_media_is_fetched_only_from_twilio(sender: WhatsAppSender, twilio: Host, stranger: Host) -> None:
    ours = str(twilio.server.make_url("/media"))
    assert await sender.fetch(ours) == b"photo"
    assert twilio.asked == [encode_basic_auth(ACCOUNT, TOKEN)]
    at = str(stranger.server.make_url("/media"))
    host = twilio.server.make_url("").authority
    for named in (
        at,
        at.replace("http://", f"http://{host}@"),
        f"{ours.removesuffix('/media')}.evil.example/",
        "file:///etc/passwd",
    ):
        assert await sender.fetch(named) is None, named
    assert stranger.asked == []


async def test_a_redirect_to_another_host_gets_no_credentials(
    sender: WhatsAppSender, twilio: Host, stranger: Host
) -> None:
    twilio.elsewhere = str(stranger.server.make_url("/storage"))  # Twilio stores its media on another host, too
    assert await sender.fetch(str(twilio.server.make_url("/moved"))) == b"photo"
    assert stranger.asked == [None]


async def test_a_download_that_is_too_large_is_aborted(sender: WhatsAppSender, twilio: Host) -> None:
    assert await sender.fetch(str(twilio.server.make_url("/huge"))) is None


def _picture(kind: str, size: tuple[int, int] = (8, 8), mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_picture("PNG", (7000, MOST_PIXELS // 7000 + 1), "1"), id="unpacks to too many pixels"),
        pytest.param(_picture("PNG", (64, 64))[:45], id="cut off"),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', id="a page's script"),
        pytest.param(b"%PDF-1.7\n" + _picture("JPEG"), id="a photo behind another kind of file"),
        pytest.param(_picture("TIFF"), id="a kind that isn't taken"),
        pytest.param(_picture("PNG")[:8] + _picture("JPEG"), id="the head of one kind, the rest of another"),
        pytest.param(b"RIFF\xff\xff\xff\xffWEBPVP8 ", id="a head alone"),
    ],
)
async def test_a_fake_photo_is_not_kept(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "photos"
    with pytest.raises(BadPhotos):
        await Photos(folder, lambda: "0" * 32).keep(content)
    assert not await asyncio.to_thread(folder.exists)
