"""The client for Midtrans: payment pages (Snap), statuses, cancellations and refunds.

The only module that imports midtransclient, which blocks, has no timeout, prints the server key in its
`repr` and raises half a dozen kinds of errors. Here they become two:

    MidtransTrouble   no answer, or an unreadable one: the same call may be retried
    MidtransRefused   Midtrans rejects the request: a retry is useless
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from midtransclient import Snap
from midtransclient.config import ApiConfig
from midtransclient.error_midtrans import JSONDecodeError, MidtransAPIError
from urllib3 import Timeout

from bot.payments.total_timeout import TotalTimeout
from bot.timeouts import retry_after
from bot.watching import metrics
from core.money import Money


@dataclass(frozen=True, slots=True)
class SnapLink:
    token: str
    url: str


class MidtransError(Exception):
    retry_after: timedelta | None = None
    """How long Midtrans asks us to wait, if it does."""


class MidtransTrouble(MidtransError):
    """No answer, 429, 5xx, or an unreadable answer: the request may or may not have been carried out."""

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class MidtransRefused(MidtransError):
    def __init__(self, status: int, messages: list[str]) -> None:
        super().__init__(f"{status}: {'; '.join(messages)}")
        self.status = status
        self.messages = messages

    @property
    def already_used(self) -> bool:
        """Whether the order_id is used: then the payment request needs a new one."""
        return any(_ALREADY_USED.search(message) for message in self.messages)

    @property
    def duplicate_refund(self) -> bool:
        """Whether the refund_key is used: the refund was accepted before.

        Source: https://docs.midtrans.com/docs/error-code-response-code
        """
        return self.status == _DUPLICATE_REFUND

    @property
    def refund_amount_wrong(self) -> bool:
        """Whether the amount is more than what can be refunded."""
        return self.status == _REFUND_AMOUNT


_DUPLICATE_REFUND, _REFUND_AMOUNT = 406, 414
_ALREADY_USED = re.compile(r"order_id.*(sudah digunakan|already|been (taken|used|paid|utilized))", re.IGNORECASE)


class Midtrans:
    """Midtrans' Snap and Core APIs.

    `snap_url` and `api_url` (settings MIDTRANS__SNAP_URL and MIDTRANS__API_URL) are base URLs: Snap's with `/snap/v1`
    (https://app.sandbox.midtrans.com/snap/v1), the Core API's without `/v2` (https://api.sandbox.midtrans.com).
    By default they are the vendor's own, depending on `production`. `timeout` is in seconds, for a whole call.
    """

    def __init__(
        self,
        *,
        server_key: str,
        client_key: str,
        production: bool,
        snap_url: str | None = None,
        api_url: str | None = None,
        timeout: float = 10,
        at_once: int = 16,
    ) -> None:
        self._timeout = timeout
        # A pool of its own: while Midtrans is slow, nothing else must wait for a thread.
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="midtrans")
        self._session = _Session(timeout)
        self._snap = Snap()
        self._snap.api_config = _Endpoints(server_key, client_key, production, snap_url, api_url)
        self._snap.http_client.http_client = self._session

    async def create(self, body: Mapping[str, object]) -> SnapLink:
        """Make a payment page; after a `MidtransTrouble`, retry with the same order_id.

        Source: https://docs.midtrans.com/docs/snap-snap-integration-guide
        """
        answer = await self._call(lambda: self._snap.create_transaction(dict(body)))
        token, url = answer.get("token"), answer.get("redirect_url")
        if not (isinstance(token, str) and token and isinstance(url, str) and urlsplit(url).netloc):
            raise MidtransTrouble("a Snap transaction without token or redirect_url")
        return SnapLink(token, url)

    async def status(self, reference: str) -> dict[str, object] | None:
        """The status of a transaction, or of an order's newest one; None until the customer has chosen how to pay."""
        try:
            answer = await self._call(lambda: self._snap.transactions.status(_quoted(reference)))
        except MidtransRefused as refused:
            if refused.status == requests.codes.not_found:
                return None
            raise
        if not isinstance(answer.get("transaction_status"), str):
            raise MidtransTrouble("a status without transaction_status")
        return answer

    async def cancel_link(self, token: str) -> None:
        """Close a payment page on which no method was chosen yet; may be repeated."""
        try:
            await self._call(lambda: self._post(f"/transactions/{_quoted(token)}/cancel"))
        except MidtransRefused as refused:
            if not any("already cancel" in message.lower() for message in refused.messages):
                raise

    async def cancel(self, reference: str) -> dict[str, object]:
        """Cancel a pending transaction, or a card payment before it settles."""
        return await self._call(lambda: self._snap.transactions.cancel(_quoted(reference)))

    async def expire(self, order_id: str) -> dict[str, object]:
        return await self._call(lambda: self._snap.transactions.expire(_quoted(order_id)))

    async def refund(self, reference: str, *, refund_key: str, amount: Money, reason: str) -> dict[str, object]:
        """Refund a transaction; after a `MidtransTrouble`, retry with the same refund_key.

        Source: https://docs.midtrans.com/reference/refund-transaction
        """
        body = {"refund_key": refund_key, "amount": amount, "reason": reason}
        return await self._call(lambda: self._snap.transactions.refund(_quoted(reference), body))

    def close(self) -> None:
        self._session.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _post(self, path: str) -> object:
        config = self._snap.api_config
        url = config.get_snap_base_url() + path
        answer, _ = self._snap.http_client.request("post", config.server_key, url, {}, {}, {})
        return answer

    async def _call(self, call: Callable[[], object]) -> dict[str, object]:
        with metrics.vendor_call("midtrans"):
            try:
                async with asyncio.timeout(self._timeout):  # includes the time until a thread is free
                    answer = await asyncio.get_running_loop().run_in_executor(self._threads, call)
            except MidtransAPIError as error:
                raise _translated(error) from None  # the library's error holds the request with its key
            except _OTHER_ERRORS as error:
                raise MidtransTrouble(type(error).__name__) from None
            if not isinstance(answer, dict):
                raise MidtransTrouble("an answer that is no object")
            return answer


# What midtransclient raises besides: network errors; HTML; a list or a text instead of an object;
# no status_code, or one that is no number; deeply nested JSON; our own timeout.
_OTHER_ERRORS = (
    requests.RequestException,
    JSONDecodeError,
    AttributeError,
    ValueError,
    TypeError,
    RecursionError,
    TimeoutError,
)


class _Endpoints(ApiConfig):  # type: ignore[misc]
    """The library's configuration with other URLs, and without the key in its `repr`."""

    def __init__(
        self, server_key: str, client_key: str, production: bool, snap_url: str | None, api_url: str | None
    ) -> None:
        super().__init__(production, server_key, client_key, {}, {})
        self._snap_url = snap_url
        self._api_url = api_url

    def get_snap_base_url(self) -> str:
        return (self._snap_url or str(super().get_snap_base_url())).rstrip("/")

    def get_core_api_base_url(self) -> str:
        return (self._api_url or str(super().get_core_api_base_url())).rstrip("/")

    def __repr__(self) -> str:
        return f"<Midtrans at {self.get_snap_base_url()} and {self.get_core_api_base_url()}>"


class _Session(requests.Session):
    """Adds a total timeout, shares no cookies between threads, and respects Retry-After (the library drops headers)."""

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self._timeout = timeout
        # A thread can't be stopped from outside: an answer that comes byte by byte would hold it for as long.
        self.mount("https://", TotalTimeout())
        self.mount("http://", TotalTimeout())
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        answer = super().request(method, url, *args, **{"timeout": Timeout(total=self._timeout)} | kwargs)
        if _is_temporary(answer.status_code) and (wait := retry_after(answer.headers)) is not None:
            raise MidtransTrouble(f"status {answer.status_code}", wait)
        return answer


def _translated(error: MidtransAPIError) -> MidtransError:
    body, http = error.api_response_dict, error.http_status_code
    if not isinstance(body, dict):
        return MidtransTrouble(f"HTTP {http} without an object")
    code = str(body.get("status_code", http))
    status = int(code) if code.isdecimal() and http < 500 else http  # the body may say 412 in an HTTP 200
    if _is_temporary(status) or status == requests.codes.request_timeout:
        return MidtransTrouble(f"status {status}")
    return MidtransRefused(status, _messages(body))


def _is_temporary(status: int) -> bool:
    return status >= 500 or status == requests.codes.too_many_requests


def _messages(body: dict[str, object]) -> list[str]:
    fields = [body.get("error_messages"), body.get("status_message"), body.get("validation_messages")]
    lists = [each if isinstance(each, list) else [each] for each in fields if each]
    return [str(message) for each in lists for message in each]


def _quoted(identifier: str) -> str:
    return quote(identifier, safe="")
