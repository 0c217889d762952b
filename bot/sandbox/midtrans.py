"""HTTP routes of the Midtrans stand-in: Snap and the Core API as midtransclient calls them, and the payment page.

    POST /snap/v1/transactions                    creates a page: its token and redirect_url
    POST /snap/v1/transactions/{token}/cancel     closes it
    GET  /snap/v4/redirection/{token}             the page (see payment_page)
    GET  /v2/{order_id or transaction_id}/status  and POST cancel, expire, approve, deny, refund

`snap_url` is {public_url}/snap/v1 and `api_url` is {public_url}. The Core API reports errors with HTTP 200 and the
code in the body, as the real one does.
"""

import asyncio
import base64
import hmac
import json
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from aiohttp import web

from bot.sandbox import payment_page
from bot.sandbox.midtrans_account import ApiError, MidtransAccount
from bot.sandbox.midtrans_records import Transaction
from bot.sandbox.midtrans_rules import MAX_BYTES

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Fault(StrEnum):
    """Simulated faults of the API."""

    SLOW = "slow"  # processes the call, but responds only after `recover`
    DOWN = "down"  # closes the connection without a response
    HTML = "html"  # a proxy's error page
    ERROR = "error"
    THROTTLED = "throttled"
    LIST = "list"
    NONSENSE = "nonsense"  # an object whose status_code isn't a number


class MidtransStandIn(MidtransAccount):
    """The account, and an API whose faults a test can switch on."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._fault: Fault | None = None
        self._left: int | None = None
        self._recovered = asyncio.Event()

    def fail(self, fault: Fault, *, times: int | None = None) -> None:
        """Apply the fault to this many calls, or until `recover`."""
        self._fault, self._left = fault, times
        self._recovered = asyncio.Event()

    def recover(self) -> None:
        """Remove the fault and send the responses it held."""
        self._fault = None
        self._recovered.set()

    def take_fault(self) -> Fault | None:
        """The fault for the current call."""
        fault = self._fault
        if fault and self._left is not None:
            self._left -= 1
            self._fault = fault if self._left else None
        return fault

    async def recovered(self) -> None:
        await self._recovered.wait()


def routes(state: MidtransStandIn) -> list[web.RouteDef]:
    return [
        web.post("/snap/v1/transactions", _failing(state, _snap(state, _create))),
        web.post("/snap/v1/transactions/{token}/cancel", _failing(state, _snap(state, _close))),
        web.get("/v2/{reference}/status", _failing(state, _core(state, _status))),
        web.post("/v2/{reference}/{action}", _failing(state, _core(state, _transaction_action))),
        *payment_page.routes(state),
    ]


async def _create(state: MidtransStandIn, request: web.Request) -> web.Response:
    page = state.create(await _body(request))
    return web.json_response({"token": page.token, "redirect_url": state.url(page)}, status=201)


async def _close(state: MidtransStandIn, request: web.Request) -> web.Response:
    page = state.close(request.match_info["token"])
    assert page.closed_at
    return web.json_response({"canceled_at": page.closed_at.isoformat(timespec="milliseconds")})


async def _status(state: MidtransStandIn, request: web.Request) -> dict[str, Any]:
    await state.tick()
    return state.describe(state.find(request.match_info["reference"]))


async def _transaction_action(state: MidtransStandIn, request: web.Request) -> dict[str, Any]:
    await state.tick()
    reference, action = request.match_info["reference"], request.match_info["action"]
    state.find(reference)
    match action:
        case "cancel":
            return _done(state, await state.cancel(reference), "Success, transaction is canceled")
        case "expire":
            return _done(state, await state.expire(reference), "Success, transaction has expired")
        case "approve":
            return _done(state, await state.review(reference, accept=True), "Success, transaction is approved")
        case "deny":
            return _done(state, await state.review(reference, accept=False), "Success, transaction is denied")
        case "refund":
            return await _refund(state, reference, await _body(request))
    raise web.HTTPNotFound


async def _refund(state: MidtransStandIn, reference: str, body: dict[str, Any]) -> dict[str, Any]:
    key = body.get("refund_key") or str(uuid5(NAMESPACE_URL, f"refund {reference}"))
    amount = body.get("amount", state.find(reference).amount)
    answer = await state.refund(reference, str(key), amount, str(body.get("reason", "")))
    return answer | {"status_code": "200", "status_message": "Success, refund request is approved"}


def _done(state: MidtransStandIn, transaction: Transaction | None, message: str) -> dict[str, Any]:
    assert transaction  # `find` raises for an unknown reference
    return state.describe(transaction) | {"status_message": message}


def _snap(state: MidtransStandIn, handle: Callable[[MidtransStandIn, web.Request], Awaitable[web.Response]]) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        if not _authorized(state, request):
            return _errors(401, ["Access denied due to unauthorized transaction, please check client or server key"])
        try:
            return await handle(state, request)
        except ApiError as error:
            return _errors(error.code, error.messages)

    return answer


def _core(
    state: MidtransStandIn, handle: Callable[[MidtransStandIn, web.Request], Awaitable[dict[str, Any]]]
) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        if not _authorized(state, request):
            message = "Transaction cannot be authorized with the current client/server key."
            return web.json_response({"status_code": "401", "status_message": message}, status=401)
        try:
            return web.json_response(await handle(state, request))
        except ApiError as error:
            name = str(uuid5(NAMESPACE_URL, request.path))
            return web.json_response(
                {"status_code": str(error.code), "status_message": "; ".join(error.messages), "id": name}
            )

    return answer


def _failing(state: MidtransStandIn, handle: Handler) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        match state.take_fault():
            case None:
                return await handle(request)
            case Fault.SLOW:
                answer = await handle(request)
                await state.recovered()
                return answer
            case Fault.DOWN:
                assert request.transport
                request.transport.close()
                return web.Response()
            case Fault.HTML:
                page = "<html><body><h1>502 Bad Gateway</h1></body></html>"
                return web.Response(text=page, content_type="text/html", status=502)
            case Fault.ERROR:
                return _errors(500, ["Sorry, we encountered internal server error. We will fix this soon."])
            case Fault.THROTTLED:
                return _errors(429, ["Too many requests"])
            case Fault.LIST:
                return web.json_response(["not", "an", "object"])
            case Fault.NONSENSE:
                return web.json_response({"status_code": "none", "status_message": "?"})

    return answer


def _authorized(state: MidtransStandIn, request: web.Request) -> bool:
    expected = "Basic " + base64.b64encode(f"{state.server_key}:".encode()).decode()
    return hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode())


async def _body(request: web.Request) -> dict[str, Any]:
    text = await request.read()
    if len(text) > MAX_BYTES:
        raise ApiError(400, "The request body is larger than 16 kB")
    try:
        body = json.loads(text or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ApiError(400, "There was a problem in the JSON you submitted")
    return body


def _errors(status: int, messages: list[str]) -> web.Response:
    return web.json_response({"error_messages": messages}, status=status)
