"""A merchant's account at the Midtrans stand-in: payment pages, and the payment attempts on them.

    create ──> Page ──choose──> Transaction: pending ──> settlement │ capture │ deny │ expire │ cancel ──> refund
                 └─ ends without a choice: no Transaction and no notification

A page can have several attempts (a denied card, then another), each with its own transaction_id.
Where Midtrans would return an error, the methods raise `ApiError`.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from bot.sandbox.midtrans_notifications import Notifications
from bot.sandbox.midtrans_records import (
    NOTIFIED_CODES,
    STATUS_CODES,
    FeeTold,
    Page,
    Transaction,
    local,
    rupiah,
    status_code,
    transaction_json,
)
from bot.sandbox.midtrans_rules import CHANNELS, Channel, page_ends, payment_ends, validation_errors
from core.money import Money

SANDBOX_KEY = "SB-Mid-server-"
CANNOT_MODIFY = "Merchant cannot modify the status of the transaction"

CARDS: Mapping[str, str] = {
    "4811111111111114": "accept",
    "4511111111111117": "challenge",
    "4911111111111113": "deny",
}
"""Result of a payment by Midtrans' test cards; any other number is denied."""


class ApiError(Exception):
    """An error response with this code and these messages."""

    def __init__(self, code: int, *messages: str) -> None:
        super().__init__(f"{code}: {'; '.join(messages)}")
        self.code = code
        self.messages = list(messages)


class MidtransAccount:
    """All pages and transactions of one server key, and what the customer, the bank and the merchant can do.

    A `reference` is a transaction_id, or an order_id for its newest attempt. Customers open the pages under `public_url`;
    notifications go to `notify_url`.
    """

    def __init__(
        self,
        *,
        server_key: str,
        merchant: str,
        clock: Callable[[], datetime],
        public_url: str = "",
        notify_url: str | None = None,
        retry_factor: float = 1,
    ) -> None:
        if not server_key.startswith(SANDBOX_KEY):
            raise ValueError(
                f"The stand-in refuses production credentials: its server key must begin with {SANDBOX_KEY}"
            )
        self.server_key = server_key
        self.merchant = merchant
        self.public_url = public_url
        self.notifications = Notifications(notify_url, clock, retry_factor=retry_factor)
        self.now = clock
        self.customer_fee: Money = 0
        """Added to every payment, at the customer's cost."""
        self.fee_told = FeeTold.IN_METADATA
        self.pages: dict[str, Page] = {}
        self.transactions: list[Transaction] = []
        self._pages_of: dict[str, list[Page]] = {}
        """By order_id."""
        self._attempts_of: dict[str, list[Transaction]] = {}
        """By order_id and by transaction_id."""

    async def run(self) -> None:
        """Call `tick` until cancelled."""
        while True:
            await self.tick()
            await asyncio.sleep(0.25)

    async def tick(self) -> None:
        """Expire the attempts and send the notifications that are due by the clock."""
        for transaction in self.transactions:
            if transaction.status == "pending" and transaction.expires_at <= self.now():
                self._set_status(transaction, "expire")
        await self.notifications.deliver()

    # --- the merchant creates and closes pages -------------------------------------------------

    def create(self, body: dict[str, Any]) -> Page:
        """Create a page and close older pages of the order_id; ApiError if a method was already chosen for it."""
        if reasons := validation_errors(body, self.now()):
            raise ApiError(400, *reasons)
        order_id = body["transaction_details"]["order_id"]
        if self._attempts(order_id):
            raise ApiError(400, "transaction_details.order_id sudah digunakan")
        for older in self._pages_of.get(order_id, ()):
            older.closed_at = older.closed_at or self.now()
        token = str(uuid5(NAMESPACE_URL, f"page {order_id} {len(self.pages)}"))
        page = self.pages[token] = Page(token, body, self.now(), page_ends(body, self.now()))
        self._pages_of.setdefault(order_id, []).append(page)
        return page

    def close(self, token: str) -> Page:
        """Cancel a page on which no method was chosen."""
        page = self.page(token)
        if page.closed_at:
            raise ApiError(400, "token already canceled")
        if self._attempts(page.order_id):
            raise ApiError(400, "Transaction is in progress")
        page.closed_at = self.now()
        return page

    def url(self, page: Page) -> str:
        """The page's URL for the customer."""
        return f"{self.public_url}/snap/v4/redirection/{page.token}"

    # --- the customer on the page --------------------------------------------------------------

    def page(self, token: str) -> Page:
        if token not in self.pages:
            raise ApiError(404, "token not found")
        return self.pages[token]

    def attempt_on(self, page: Page) -> Transaction | None:
        """The newest payment attempt on a page; None on a closed page."""
        attempts = [] if page.closed_at else self._attempts(page.order_id)
        return attempts[-1] if attempts else None

    def is_open(self, page: Page) -> bool:
        """Whether the customer can still act on the page."""
        return page.closed_at is None and page.ends_at > self.now()

    async def choose(self, token: str, channel: str) -> Transaction:
        """Choose a payment channel; starts an attempt and sends a pending notification."""
        page = self.page(token)
        attempt = self.attempt_on(page)
        if attempt and attempt.status == "pending" and attempt.channel.name == channel:
            return attempt
        if attempt and attempt.status != "deny":
            raise ApiError(406, "Transaction is in progress or has ended")
        if not self.is_open(page):
            raise ApiError(410, "The page has ended")
        if CHANNELS.get(channel) not in page.channels:
            raise ApiError(402, f"Payment channel {channel} is not activated for this transaction")
        return await self._start_attempt(page, CHANNELS[channel])

    async def pay(self, token: str, channel: str | None = None, *, card: str = "4811111111111114") -> Transaction:
        """Pay by `channel`; by default the pending attempt's channel, else the page's first."""
        page = self.page(token)
        attempt = self.attempt_on(page)
        pending = attempt.channel.name if attempt and attempt.status == "pending" else page.channels[0].name
        transaction = await self.choose(token, channel or pending)
        if transaction.channel.group == "card":
            return await self._charge(transaction, card)
        return await self.settle(transaction.id)

    async def abandon(self, token: str) -> str | None:
        """Leave the page without paying; returns the URL that Snap redirects to, if any."""
        return self.finish_url(self.page(token))

    def finish_url(self, page: Page) -> str | None:
        """The merchant's `callbacks.finish` with Snap's query parameters."""
        finish = (page.body.get("callbacks") or {}).get("finish")
        attempt = self.attempt_on(page)
        if not finish or not attempt:
            return finish
        code, status = status_code(attempt, STATUS_CODES), attempt.status
        query = urlencode({"order_id": page.order_id, "status_code": code, "transaction_status": status})
        return f"{finish}{'&' if '?' in finish else '?'}{query}"

    # --- status changes of an attempt ----------------------------------------------------------

    def find(self, reference: str) -> Transaction:
        """The attempt of a reference; ApiError 404 before a method is chosen."""
        attempts = self._attempts(reference)
        if not attempts:
            raise ApiError(404, "Transaction doesn't exist.")
        return attempts[-1]

    async def settle(self, reference: str) -> Transaction:
        """Record that the money arrived."""
        transaction = self.find(reference)
        _require_status(transaction, "pending", "capture", "expire", "cancel", "deny")
        transaction.settled_at = self.now()
        transaction.fraud = "accept"
        return await self._set_status_and_notify(transaction, "settlement")

    async def deny(self, reference: str) -> Transaction:
        """The bank declines the payment, or reverses it minutes after accepting it."""
        transaction = self.find(reference)
        _require_status(transaction, "pending", "capture", "settlement")
        return await self._set_status_and_notify(transaction, "deny")

    async def expire(self, reference: str) -> Transaction | None:
        """Expire the attempt; where no method was chosen, end the page, send no notification and return None."""
        if not self._attempts(reference):
            self.end(self._page_of(reference))
            return None
        transaction = self.find(reference)
        _require_status(transaction, "pending")
        transaction.expires_at = self.now()
        return await self._set_status_and_notify(transaction, "expire")

    def end(self, page: Page) -> None:
        """End a page that has no pending attempt."""
        page.ends_at = self.now()

    async def cancel(self, reference: str) -> Transaction:
        """The merchant cancels a pending attempt, or a card payment before it settles."""
        transaction = self.find(reference)
        _require_status(transaction, "pending", "capture")
        return await self._set_status_and_notify(transaction, "cancel")

    async def review(self, reference: str, *, accept: bool) -> Transaction:
        """The merchant approves or denies a challenged card payment."""
        transaction = self.find(reference)
        if not transaction.challenged:
            raise ApiError(412, CANNOT_MODIFY)
        transaction.fraud = "accept" if accept else "deny"
        return await self._set_status_and_notify(transaction, "capture" if accept else "deny")

    async def refund(self, reference: str, key: str, amount: object, reason: str) -> dict[str, Any]:
        """The merchant refunds money; one notification goes out before and one after the bank's confirmation."""
        transaction = self.find(reference)
        if key in transaction.refunds:
            raise ApiError(406, "Duplicate refund_key")
        _require_status(transaction, "settlement", "partial_refund")
        if not transaction.channel.refundable:
            raise ApiError(412, CANNOT_MODIFY)
        remaining = transaction.remaining
        if not isinstance(amount, int) or not 0 < amount <= remaining:
            raise ApiError(414, "Refund amount is invalid or exceeds what was paid")
        transaction.refunds[key] = amount
        status = "refund" if amount == remaining else "partial_refund"
        refunded, now = rupiah(sum(transaction.refunds.values())), local(self.now())
        refund = {"refund_key": key, "refund_amount": rupiah(amount), "reason": reason, "created_at": now}
        self._set_status(transaction, status, refund_amount=refunded, refunds=[refund])
        confirmed = refund | {"bank_confirmed_at": now}
        await self._set_status_and_notify(transaction, status, refund_amount=refunded, refunds=[confirmed])
        return self.describe(transaction) | {"refund_key": key, "refund_amount": rupiah(amount)}

    async def charge_back(self, reference: str, key: str, amount: Money) -> Transaction:
        """The cardholder's bank charges money back."""
        transaction = self.find(reference)
        _require_status(transaction, "settlement", "partial_refund")
        if not 0 < amount <= transaction.remaining:
            raise ApiError(414, "More than was paid")
        transaction.chargebacks[key] = amount
        return await self._set_status_and_notify(
            transaction, "partial_chargeback" if transaction.remaining else "chargeback"
        )

    async def forge(self, reference: str, **changes: str) -> int | None:
        """Send the last real notification with changed fields; returns the webhook's status.

        The signature isn't recomputed: it stays valid unless order_id, status_code or gross_amount changes.
        """
        return await self.notifications.post(self._notification(self.find(reference)) | changes)

    def describe(self, transaction: Transaction) -> dict[str, Any]:
        """The response to a status call."""
        return transaction_json(transaction, STATUS_CODES, self.server_key) | {
            "status_message": "Success, transaction is found"
        }

    # --- helpers -------------------------------------------------------------------------------

    def _page_of(self, order_id: str) -> Page:
        pages = self._pages_of.get(order_id)
        return pages[-1] if pages else self.page(order_id)

    def _attempts(self, reference: str) -> list[Transaction]:
        return self._attempts_of.get(reference, [])

    async def _start_attempt(self, page: Page, channel: Channel) -> Transaction:
        now = self.now()
        name = str(uuid5(NAMESPACE_URL, f"{page.token} {len(self.transactions)}"))
        transaction = Transaction(name, page.order_id, channel, page.amount, now, payment_ends(page.body, now))
        transaction.fee, transaction.fee_told = self.customer_fee, self.fee_told
        self.transactions.append(transaction)
        for reference in (page.order_id, name):
            self._attempts_of.setdefault(reference, []).append(transaction)
        return await self._set_status_and_notify(transaction, "pending")

    async def _charge(self, transaction: Transaction, card: str) -> Transaction:
        number = "".join(filter(str.isdigit, card))
        transaction.card = f"{number[:8]}-{number[-4:]}"
        transaction.fraud = CARDS.get(number, "deny")
        return await self._set_status_and_notify(transaction, "deny" if transaction.fraud == "deny" else "capture")

    async def _set_status_and_notify(self, transaction: Transaction, status: str, **more: Any) -> Transaction:
        self._set_status(transaction, status, **more)
        await self.notifications.deliver()
        return transaction

    def _set_status(self, transaction: Transaction, status: str, **more: Any) -> None:
        transaction.status = status
        self.notifications.add(self._notification(transaction) | more)

    def _notification(self, transaction: Transaction) -> dict[str, Any]:
        return transaction_json(transaction, NOTIFIED_CODES, self.server_key) | {
            "status_message": "midtrans payment notification"
        }


def _require_status(transaction: Transaction, *statuses: str) -> None:
    if transaction.status not in statuses:
        raise ApiError(412, CANNOT_MODIFY)
