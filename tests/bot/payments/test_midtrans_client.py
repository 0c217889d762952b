"""The Midtrans client over real HTTP: every unusual answer becomes one of two errors."""

import asyncio
import json
import logging
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from traceback import TracebackException
from typing import Any

import pytest
from aiohttp import web
from waiting import HANG

from bot.payments.midtrans_client import Midtrans, MidtransRefused, MidtransTrouble
from bot.sandbox.midtrans import Fault, MidtransStandIn, routes
from bot.watching import metrics

KEY = "SB-Mid-server-rahasia"
BODY: dict[str, Any] = {
    "transaction_details": {"order_id": "BOOKING-A1-7F3A-1", "gross_amount": 150_000},
    "enabled_payments": ["bca_va"],
}

Call = Callable[[Midtrans], Awaitable[object]]
CALLS: dict[str, Call] = {
    "create": lambda midtrans: midtrans.create(BODY),
    "status": lambda midtrans: midtrans.status("BOOKING-1"),
    "cancel_link": lambda midtrans: midtrans.cancel_link("token"),
    "cancel": lambda midtrans: midtrans.cancel("BOOKING-1"),
    "expire": lambda midtrans: midtrans.expire("BOOKING-1"),
    "refund": lambda midtrans: midtrans.refund("BOOKING-1", refund_key="r1", amount=1, reason="batal"),
}


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@asynccontextmanager
async def client(url: str, **more: Any) -> AsyncIterator[Midtrans]:
    settings = {"server_key": KEY, "client_key": "SB-Mid-client-x", "production": False, "timeout": HANG}
    midtrans = Midtrans(**settings | {"snap_url": f"{url}/snap/v1", "api_url": url} | more)
    yield midtrans
    midtrans.close()


@asynccontextmanager
async def answered(
    status: int, text: str, content_type: str = "application/json", **head: str
) -> AsyncIterator[Midtrans]:
    """A client that gets this answer to every call."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=status, text=text, content_type=content_type, headers=head)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with serving(app) as url, client(url) as midtrans:
        yield midtrans


@asynccontextmanager
async def dripping(reference: str, beginning: bytes) -> AsyncIterator[str]:
    """A Midtrans that answers for one order byte by byte until we disconnect, and knows no other order."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        if f"/{reference}/".encode() in asked:
            writer.write(beginning)
            while not reader.at_eof():
                writer.write(b" ")
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(), 0.05)
        else:
            writer.write(b'HTTP/1.1 404 Not Found\r\nContent-Length: 22\r\n\r\n{"status_code": "404"}')
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
async def stand_in(now: datetime) -> AsyncIterator[MidtransStandIn]:
    state = MidtransStandIn(server_key=KEY, merchant="Bengkel Suara Jaya", clock=lambda: now)
    app = web.Application()
    app.add_routes(routes(state))
    async with serving(app) as state.public_url:
        yield state
        state.recover()


@pytest.fixture
async def midtrans(stand_in: MidtransStandIn) -> AsyncIterator[Midtrans]:
    async with client(stand_in.public_url) as midtrans:
        yield midtrans


async def test_a_link_is_made_and_paid(midtrans: Midtrans, stand_in: MidtransStandIn) -> None:
    link = await midtrans.create(BODY)
    assert link.url == f"{stand_in.public_url}/snap/v4/redirection/{link.token}"
    assert await midtrans.status("BOOKING-A1-7F3A-1") is None, "nothing is known until a method is chosen"
    await stand_in.pay(link.token)
    status = await midtrans.status("BOOKING-A1-7F3A-1")
    assert status
    assert (status["transaction_status"], status["gross_amount"]) == ("settlement", "150000.00")


async def test_an_expired_order_is_no_error(midtrans: Midtrans, stand_in: MidtransStandIn) -> None:
    link = await midtrans.create(BODY)
    await stand_in.choose(link.token, "bca_va")
    assert (await midtrans.expire("BOOKING-A1-7F3A-1"))["status_code"] == "407"
    status = await midtrans.status("BOOKING-A1-7F3A-1")
    assert status
    assert status["transaction_status"] == "expire"


async def test_a_link_can_be_closed_twice(midtrans: Midtrans, stand_in: MidtransStandIn) -> None:
    link = await midtrans.create(BODY)
    await midtrans.cancel_link(link.token)
    await midtrans.cancel_link(link.token)
    assert not stand_in.is_open(stand_in.page(link.token))


async def test_a_link_in_use_cannot_be_closed(midtrans: Midtrans, stand_in: MidtransStandIn) -> None:
    link = await midtrans.create(BODY)
    await stand_in.choose(link.token, "bca_va")
    with pytest.raises(MidtransRefused, match="in progress"):
        await midtrans.cancel_link(link.token)


async def test_only_a_used_order_id_needs_a_new_one(midtrans: Midtrans, stand_in: MidtransStandIn) -> None:
    await stand_in.choose((await midtrans.create(BODY)).token, "bca_va")
    with pytest.raises(MidtransRefused) as taken:
        await midtrans.create(BODY)
    assert (taken.value.status, taken.value.already_used) == (400, True)
    with pytest.raises(MidtransRefused) as wrong:
        await midtrans.create({"transaction_details": {"order_id": "BOOKING 2", "gross_amount": 1}})
    assert (wrong.value.status, wrong.value.already_used) == (400, False)


@pytest.mark.parametrize(
    "message",
    [
        "transaction_details.order_id sudah digunakan",  # Snap, Indonesian account
        "transaction_details.order_id has already been taken",  # Snap, English account
        "The order_id has been paid and utilized, please use another order_id",  # Core API, 406
    ],
)
def test_already_used_knows_midtrans_wordings(message: str) -> None:
    assert MidtransRefused(400, ["x", message]).already_used


async def test_create_can_be_repeated_after_a_timeout(stand_in: MidtransStandIn) -> None:
    async with client(stand_in.public_url, timeout=0.3) as midtrans:
        stand_in.fail(Fault.SLOW, times=1)
        with pytest.raises(MidtransTrouble, match="Timeout"):
            await midtrans.create(BODY)
        stand_in.recover()
        link = await midtrans.create(BODY)
        assert stand_in.is_open(stand_in.page(link.token))


async def test_a_wrong_key_is_refused(stand_in: MidtransStandIn) -> None:
    async with client(stand_in.public_url, server_key="SB-Mid-server-lain") as midtrans:
        for call in (CALLS["create"], CALLS["status"]):
            with pytest.raises(MidtransRefused) as refused:
                await call(midtrans)
            assert refused.value.status == 401


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.SLOW])
async def test_every_fault_of_the_vendor_is_trouble(
    midtrans: Midtrans, stand_in: MidtransStandIn, name: str, fault: Fault
) -> None:
    stand_in.fail(fault)
    with pytest.raises(MidtransTrouble):
        await CALLS[name](midtrans)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, "<html>maintenance</html>"),  # a page where JSON was due
        (200, ""),  # nothing at all
        (200, "[1]"),  # a list
        (200, '"ok"'),  # a text
        (200, "null"),  # null
        (200, "{}"),  # an object without what was asked for
        (200, '{"status_code": "abc"}'),  # a status_code that isn't a number
        (200, '{"status_code": null}'),  # a status_code that is nothing
        (200, '{"status_code": "503"}'),  # the Core API's own 5xx under HTTP 200
        (200, '{"status_code": "429"}'),  # too many calls, under HTTP 200
        (200, '{"a":' * 100_000),  # JSON nested beyond reason
        (400, "[1]"),  # a refusal without an object
        (404, "<html>not found</html>"),  # a proxy's 404: it says nothing about the order
        (429, '{"error_messages": ["slow down"]}'),  # too many calls
        (500, '{"error_messages": ["sorry"]}'),  # an internal error
        (500, '{"status_code": "400"}'),  # an internal error that quotes another code
        (502, "<html>bad gateway</html>"),  # a proxy's page
    ],
)
async def test_an_unreadable_answer_is_trouble(status: int, text: str) -> None:
    async with answered(status, text) as midtrans:
        for name in ("create", "status"):
            with pytest.raises(MidtransTrouble):
                await CALLS[name](midtrans)


@pytest.mark.parametrize(
    ("status", "text", "asked"),
    [
        (429, '{"error_messages": ["slow down"]}', 40),  # as long as it says
        (429, "<html>slow down</html>", 40),  # whatever the page says
        (503, "", 40),  # maintenance
        (200, '{"status_code": "503"}', None),  # an answer that came asks for nothing
    ],
)
async def test_trouble_holds_retry_after(status: int, text: str, asked: int | None) -> None:
    async with answered(status, text, **{"Retry-After": "40"}) as midtrans:
        for name in ("create", "status"):
            with pytest.raises(MidtransTrouble) as trouble:
                await CALLS[name](midtrans)
            assert trouble.value.retry_after == (timedelta(seconds=asked) if asked else None)


async def test_a_failed_call_is_counted_for_the_alerts() -> None:
    before = _calls_in_vain()
    async with answered(502, "<html>bad gateway</html>") as midtrans:
        with pytest.raises(MidtransTrouble):
            await midtrans.status("BOOKING-1")
    assert _calls_in_vain() == before + 1
    [alert] = re.findall(
        r'bengkel_vendor_calls_total{outcome=~"(.*?)"}',
        (Path(__file__).parents[3] / "docs" / "alerts.yaml").read_text(),
    )
    assert "MidtransTrouble" in alert.split("|")


def _calls_in_vain() -> float:
    labels = {"vendor": "midtrans", "outcome": "MidtransTrouble"}
    [calls] = metrics.VENDOR_CALLS.collect()
    return sum(each.value for each in calls.samples if each.name.endswith("_total") and each.labels == labels)


@pytest.mark.parametrize(
    "link",
    [
        {"token": "", "redirect_url": "https://app.midtrans.com/x"},  # no token
        {"token": "t"},  # no page
        {"token": "t", "redirect_url": "/x"},  # a page that can't be opened from a chat
        {"token": 1, "redirect_url": "https://app.midtrans.com/x"},  # not what is documented
    ],
)
async def test_an_incomplete_link_is_trouble(link: dict[str, object]) -> None:
    async with answered(201, json.dumps(link)) as midtrans:
        with pytest.raises(MidtransTrouble):
            await midtrans.create(BODY)


async def test_the_status_code_in_the_body_counts() -> None:
    refusal = {"status_code": "412", "status_message": "Merchant cannot modify the status of the transaction"}
    async with answered(200, json.dumps(refusal)) as midtrans:
        with pytest.raises(MidtransRefused) as refused:
            await midtrans.cancel("BOOKING-1")
    assert (refused.value.status, refused.value.messages) == (412, [refusal["status_message"]])


@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 200 OK\r\nX-Drip: ",  # in its head
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",  # in its body
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n",  # in a chunk
        b"HTTP/1.1 200 OK\r\n\r\n",  # until it hangs up
    ],
)
async def test_a_slow_answer_ends_with_the_timeout(beginning: bytes) -> None:
    async with dripping("BOOKING-1", beginning) as url, client(url, timeout=0.4, at_once=1) as midtrans:
        with pytest.raises(MidtransTrouble):
            await midtrans.status("BOOKING-1")
        assert await midtrans.status("BOOKING-2") is None, "the only thread is free again, though it still drips"


async def test_a_refused_connection_is_trouble() -> None:
    async with serving(web.Application()) as url:
        pass
    async with client(url) as midtrans:
        with pytest.raises(MidtransTrouble, match="ConnectionError"):
            await midtrans.create(BODY)


@pytest.mark.parametrize(
    "order_id",
    ["../../v2/other", "a/b?c=d#e", "a b%2F", "spasi dan ünïcode"],
)
async def test_an_id_is_one_segment_of_the_path(order_id: str) -> None:
    asked: list[str] = []

    async def note(request: web.Request) -> web.Response:
        asked.append(request.match_info["id"])
        return web.json_response({"status_code": "404", "status_message": "Transaction doesn't exist."})

    app = web.Application()
    app.router.add_get("/v2/{id}/status", note)
    async with serving(app) as url, client(url) as midtrans:
        assert await midtrans.status(order_id) is None
    assert asked == [order_id]


async def test_the_server_key_is_never_logged(
    midtrans: Midtrans, stand_in: MidtransStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = [repr(midtrans)]
    for fault in (None, Fault.DOWN, Fault.HTML, Fault.ERROR):
        if fault:
            stand_in.fail(fault)
        try:
            await midtrans.refund("BOOKING-1", refund_key="r", amount=1, reason="batal")
        except (MidtransTrouble, MidtransRefused) as error:
            said += [str(error), repr(error)]
            # As tools show an error that nobody caught: with what every function knew.
            said += TracebackException.from_exception(error, capture_locals=True).format()
    assert "ConnectionError" in said
    assert not re.search("rahasia|cmFoYXNpY", "\n".join(said) + caplog.text)


@pytest.mark.parametrize(
    ("production", "hosts"),
    [
        (False, ["app.sandbox.midtrans.com", "api.sandbox.midtrans.com"]),
        (True, ["app.midtrans.com", "api.midtrans.com"]),
    ],
)
async def test_default_urls_are_the_vendors(
    production: bool, hosts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []

    def nowhere(host: str, *_: object) -> None:
        looked_up.append(host)
        raise socket.gaierror

    async with client("", production=production, snap_url=None, api_url=None) as midtrans:
        monkeypatch.setattr(socket, "getaddrinfo", nowhere)
        for name in ("create", "status"):
            with pytest.raises(MidtransTrouble):
                await CALLS[name](midtrans)
    assert looked_up == hosts
