"""A merchant's account at the Midtrans stand-in: payment pages, attempts to pay on them, what they became.

    create ──> Page ──choose──> Transaction: pending ──> settlement │ capture │ deny │ expire │ cancel ──> refund
                 └─ ends without a choice: no Transaction, and no notification

One page can see several attempts (a denied card, then another), each with its own transaction_id.
What Midtrans would answer with an error is raised as `NotPossible`.
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
    Page,
    Transaction,
    described,
    local,
    rupiah,
    status_code,
)
from bot.sandbox.midtrans_rules import CHANNELS, Channel, page_ends, payment_ends, refusals
from core.money import Money

SANDBOX_KEY = "SB-Mid-server-"
CANNOT_MODIFY = "Merchant cannot modify the status of the transaction"

CARDS: Mapping[str, str] = {
    "4811111111111114": "accept",
    "4511111111111117": "challenge",
    "4911111111111113": "deny",
}
"""Midtrans' test cards, and what becomes of a payment with them; any other number is denied."""


class NotPossible(Exception):
    """Midtrans answers this with an error of that code and these messages."""

    def __init__(self, code: int, *messages: str) -> None:
        super().__init__(f"{code}: {'; '.join(messages)}")
        self.code = code
        self.messages = list(messages)


class MidtransAccount:
    """All pages and transactions of one server key; the verbs of the customer, the bank and the merchant.

    A `reference` is an order_id (then the newest attempt is meant) or a transaction_id.
    `public_url` is where customers reach the pages, `notify_url` where notifications go.
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
            raise ValueError(f"The stand-in takes no production credentials: its server key begins {SANDBOX_KEY}")
        self.server_key = server_key
        self.merchant = merchant
        self.public_url = public_url
        self.notifications = Notifications(notify_url, clock, retry_factor=retry_factor)
        self.now = clock
        self.pages: dict[str, Page] = {}
        self.transactions: list[Transaction] = []
        self._pages_of: dict[str, list[Page]] = {}
        """By order_id."""
        self._attempts_of: dict[str, list[Transaction]] = {}
        """By order_id and by transaction_id, so that an account with many is no slower."""

    async def run(self) -> None:
        """Let time pass: expire what is due and send what waits, until cancelled."""
        while True:
            await self.tick()
            await asyncio.sleep(0.25)

    async def tick(self) -> None:
        """Expire what is due and send the notifications that are due, by the clock."""
        for transaction in self.transactions:
            if transaction.status == "pending" and transaction.expires_at <= self.now():
                self._becomes(transaction, "expire")
        await self.notifications.deliver()

    # --- the merchant makes and closes pages ---------------------------------------------------

    def create(self, body: dict[str, Any]) -> Page:
        """A new page; an older one of the same order_id dies, unless a method was chosen on it."""
        if reasons := refusals(body, self.now()):
            raise NotPossible(400, *reasons)
        order_id = body["transaction_details"]["order_id"]
        if self._attempts(order_id):
            raise NotPossible(400, "transaction_details.order_id sudah digunakan")
        for older in self._pages_of.get(order_id, ()):
            older.closed_at = older.closed_at or self.now()
        token = str(uuid5(NAMESPACE_URL, f"page {order_id} {len(self.pages)}"))
        page = self.pages[token] = Page(token, body, self.now(), page_ends(body, self.now()))
        self._pages_of.setdefault(order_id, []).append(page)
        return page

    def close(self, token: str) -> Page:
        """Cancel a page on which nothing was chosen."""
        page = self.page(token)
        if page.closed_at:
            raise NotPossible(400, "token already canceled")
        if self._attempts(page.order_id):
            raise NotPossible(400, "Transaction is in progress")
        page.closed_at = self.now()
        return page

    def url(self, page: Page) -> str:
        """Where the customer opens a page."""
        return f"{self.public_url}/snap/v4/redirection/{page.token}"

    # --- the customer on the page --------------------------------------------------------------

    def page(self, token: str) -> Page:
        """The page with this token."""
        if token not in self.pages:
            raise NotPossible(404, "token not found")
        return self.pages[token]

    def attempt_on(self, page: Page) -> Transaction | None:
        """The newest attempt to pay on a page; a closed one never had any."""
        attempts = [] if page.closed_at else self._attempts(page.order_id)
        return attempts[-1] if attempts else None

    def is_open(self, page: Page) -> bool:
        """Whether the customer can still do something there."""
        return page.closed_at is None and page.ends_at > self.now()

    async def choose(self, token: str, channel: str) -> Transaction:
        """Choose a channel: its number or QR is made, and a pending notification sent."""
        page = self.page(token)
        attempt = self.attempt_on(page)
        if attempt and attempt.status == "pending" and attempt.channel.name == channel:
            return attempt
        if attempt and attempt.status != "deny":
            raise NotPossible(406, "Transaction is in progress or has ended")
        if not self.is_open(page):
            raise NotPossible(410, "The page has ended")
        if CHANNELS.get(channel) not in page.channels:
            raise NotPossible(402, f"Payment channel {channel} is not activated for this transaction")
        return await self._begin(page, CHANNELS[channel])

    async def pay(self, token: str, channel: str | None = None, *, card: str = "4811111111111114") -> Transaction:
        """Pay: what is pending, or else by this channel, or else by the first that the page shows."""
        page = self.page(token)
        attempt = self.attempt_on(page)
        pending = attempt.channel.name if attempt and attempt.status == "pending" else page.channels[0].name
        transaction = await self.choose(token, channel or pending)
        if transaction.channel.group == "card":
            return await self._charge(transaction, card)
        return await self.settle(transaction.id)

    async def abandon(self, token: str) -> str | None:
        """Leave the page; nothing happens and nothing is sent. Returns where Snap leads the customer, if anywhere."""
        return self.finish_url(self.page(token))

    def finish_url(self, page: Page) -> str | None:
        """The merchant's `callbacks.finish` with what Snap adds to it."""
        finish = (page.body.get("callbacks") or {}).get("finish")
        attempt = self.attempt_on(page)
        if not finish or not attempt:
            return finish
        code, status = status_code(attempt, STATUS_CODES), attempt.status
        query = urlencode({"order_id": page.order_id, "status_code": code, "transaction_status": status})
        return f"{finish}{'&' if '?' in finish else '?'}{query}"

    # --- what becomes of an attempt ------------------------------------------------------------

    def find(self, reference: str) -> Transaction:
        """The attempt meant; 404 until a method was chosen."""
        attempts = self._attempts(reference)
        if not attempts:
            raise NotPossible(404, "Transaction doesn't exist.")
        return attempts[-1]

    async def settle(self, reference: str) -> Transaction:
        """The money arrives."""
        transaction = self.find(reference)
        _must_be(transaction, "pending", "capture", "expire", "cancel", "deny")
        transaction.settled_at = self.now()
        transaction.fraud = "accept"
        return await self._now(transaction, "settlement")

    async def deny(self, reference: str) -> Transaction:
        """The bank says no, now or (a reversal) minutes after it had said yes."""
        transaction = self.find(reference)
        _must_be(transaction, "pending", "capture", "settlement")
        return await self._now(transaction, "deny")

    async def expire(self, reference: str) -> Transaction | None:
        """Time runs out; None, and no notification, on a page where nothing was chosen."""
        if not self._attempts(reference):
            self.end(self._page_of(reference))
            return None
        transaction = self.find(reference)
        _must_be(transaction, "pending")
        transaction.expires_at = self.now()
        return await self._now(transaction, "expire")

    def end(self, page: Page) -> None:
        """Time runs out on a page where nothing is pending."""
        page.ends_at = self.now()

    async def cancel(self, reference: str) -> Transaction:
        """The merchant cancels what is pending, or a card payment before it settles."""
        transaction = self.find(reference)
        _must_be(transaction, "pending", "capture")
        return await self._now(transaction, "cancel")

    async def judge(self, reference: str, *, accept: bool) -> Transaction:
        """The merchant approves or denies a challenged card payment."""
        transaction = self.find(reference)
        if not transaction.challenged:
            raise NotPossible(412, CANNOT_MODIFY)
        transaction.fraud = "accept" if accept else "deny"
        return await self._now(transaction, "capture" if accept else "deny")

    async def refund(self, reference: str, key: str, amount: object, reason: str) -> dict[str, Any]:
        """The merchant sends money back; two notifications tell of it, before and after the bank."""
        transaction = self.find(reference)
        if key in transaction.refunds:
            raise NotPossible(406, "Duplicate refund_key")
        _must_be(transaction, "settlement", "partial_refund")
        if not transaction.channel.refundable:
            raise NotPossible(412, CANNOT_MODIFY)
        left = transaction.left
        if not isinstance(amount, int) or not 0 < amount <= left:
            raise NotPossible(414, "Refund amount is invalid or exceeds what was paid")
        transaction.refunds[key] = amount
        status = "refund" if amount == left else "partial_refund"
        refunded, now = rupiah(sum(transaction.refunds.values())), local(self.now())
        told = {"refund_key": key, "refund_amount": rupiah(amount), "reason": reason, "created_at": now}
        self._becomes(transaction, status, refund_amount=refunded, refunds=[told])
        confirmed = told | {"bank_confirmed_at": now}
        await self._now(transaction, status, refund_amount=refunded, refunds=[confirmed])
        return self.describe(transaction) | {"refund_key": key, "refund_amount": rupiah(amount)}

    async def charge_back(self, reference: str, key: str, amount: Money) -> Transaction:
        """The cardholder's bank takes money back."""
        transaction = self.find(reference)
        _must_be(transaction, "settlement", "partial_refund")
        if not 0 < amount <= transaction.left:
            raise NotPossible(414, "More than was paid")
        transaction.chargebacks[key] = amount
        return await self._now(transaction, "partial_chargeback" if transaction.left else "chargeback")

    async def forge(self, reference: str, **changes: str) -> int | None:
        """Send the last real notification with other fields; returns what the webhook answered.

        Without a `signature_key` among them the signature stays that of the real one, and is right
        unless order_id, status_code or gross_amount were changed.
        """
        return await self.notifications.post(self._notice(self.find(reference)) | changes)

    def describe(self, transaction: Transaction) -> dict[str, Any]:
        """What a status call answers."""
        return described(transaction, STATUS_CODES, self.server_key) | {
            "status_message": "Success, transaction is found"
        }

    # --- helpers -------------------------------------------------------------------------------

    def _page_of(self, order_id: str) -> Page:
        pages = self._pages_of.get(order_id)
        return pages[-1] if pages else self.page(order_id)

    def _attempts(self, reference: str) -> list[Transaction]:
        return self._attempts_of.get(reference, [])

    async def _begin(self, page: Page, channel: Channel) -> Transaction:
        now = self.now()
        name = str(uuid5(NAMESPACE_URL, f"{page.token} {len(self.transactions)}"))
        transaction = Transaction(name, page.order_id, channel, page.amount, now, payment_ends(page.body, now))
        self.transactions.append(transaction)
        for reference in (page.order_id, name):
            self._attempts_of.setdefault(reference, []).append(transaction)
        return await self._now(transaction, "pending")

    async def _charge(self, transaction: Transaction, card: str) -> Transaction:
        number = "".join(filter(str.isdigit, card))
        transaction.card = f"{number[:8]}-{number[-4:]}"
        transaction.fraud = CARDS.get(number, "deny")
        return await self._now(transaction, "deny" if transaction.fraud == "deny" else "capture")

    async def _now(self, transaction: Transaction, status: str, **more: Any) -> Transaction:
        self._becomes(transaction, status, **more)
        await self.notifications.deliver()
        return transaction

    def _becomes(self, transaction: Transaction, status: str, **more: Any) -> None:
        transaction.status = status
        self.notifications.add(self._notice(transaction) | more)

    def _notice(self, transaction: Transaction) -> dict[str, Any]:
        return described(transaction, NOTIFIED_CODES, self.server_key) | {
            "status_message": "midtrans payment notification"
        }


def _must_be(transaction: Transaction, *statuses: str) -> None:
    if transaction.status not in statuses:
        raise NotPossible(412, CANNOT_MODIFY)
