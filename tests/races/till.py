"""Midtrans as the money machine has it: the stand-in's account, asked without a network, in any weather."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from bot.payments.midtrans_client import Midtrans, MidtransRefused, MidtransTrouble, SnapLink
from bot.sandbox.midtrans_account import ApiError, MidtransAccount
from bot.sandbox.midtrans_notifications import Sent
from bot.sandbox.midtrans_records import Transaction

Result = TypeVar("Result")
PAID = ("settlement", "partial_refund", "refund", "partial_chargeback", "chargeback")


class Weather(StrEnum):
    """How calls to Midtrans go."""

    FINE = "fine"
    DOWN = "down"  # nobody answers
    BLIND = "blind"  # statuses are told; a deed is done, but its answer never arrives
    MUTE = "mute"  # everything is done, and no answer arrives


class Till(Midtrans):
    """The client that the payment worker has, and what is really there: pages, attempts, money, notifications."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(server_key="SB-Mid-server-till", client_key="", production=False)
        self.account = MidtransAccount(
            server_key="SB-Mid-server-till", merchant="Till", clock=clock, public_url="https://pay.example"
        )
        self.weather = Weather.FINE
        self.pages: list[str] = []
        """Their tokens, in the order they were made."""

    async def create(self, body: Mapping[str, object]) -> SnapLink:
        async def deed() -> SnapLink:
            page = self.account.create(dict(body))
            self.pages.append(page.token)
            return SnapLink(page.token, self.account.url(page))

        return await self._asked(deed)

    async def status(self, reference: str) -> dict[str, object] | None:
        if self.weather in (Weather.DOWN, Weather.MUTE):
            raise MidtransTrouble("no answer")
        return await self.told(reference)

    async def told(self, reference: str) -> dict[str, object] | None:
        """What a status call would answer."""
        await self.account.tick()
        try:
            return self.account.describe(self.account.find(reference))
        except ApiError:
            return None

    async def cancel_link(self, token: str) -> None:
        async def deed() -> None:
            if not self.account.page(token).closed_at:
                self.account.close(token)

        await self._asked(deed)

    async def cancel(self, reference: str) -> dict[str, object]:
        async def deed() -> dict[str, object]:
            return self.account.describe(await self.account.cancel(reference))

        return await self._asked(deed)

    async def refund(self, reference: str, *, refund_key: str, amount: int, reason: str) -> dict[str, object]:
        return await self._asked(lambda: self.account.refund(reference, refund_key, amount, reason))

    @property
    def notifications(self) -> list[Mapping[str, Any]]:
        """Everything that was ever sent, the oldest first."""
        return [sent.body for sent in self.account.notifications.sent]

    @property
    def attempts(self) -> list[Transaction]:
        """Every attempt to pay, the oldest first."""
        names = dict.fromkeys(body["transaction_id"] for body in self.notifications)
        return [self.account.find(name) for name in names]

    def of(self, attempt: Transaction) -> list[Sent]:
        """What was sent about an attempt, the oldest first."""
        return [sent for sent in self.account.notifications.sent if sent.body["transaction_id"] == attempt.id]

    @staticmethod
    def money(attempt: Transaction) -> int:
        """What of an attempt's money is there now."""
        charged = attempt.status == "capture" and attempt.fraud == "accept"
        return attempt.remaining if attempt.status in PAID or charged else 0

    async def _asked(self, deed: Callable[[], Awaitable[Result]]) -> Result:
        if self.weather is Weather.DOWN:
            raise MidtransTrouble("no answer")
        try:
            result = await deed()
        except ApiError as no:
            raise MidtransRefused(no.code, no.messages) from None
        if self.weather is not Weather.FINE:
            raise MidtransTrouble("no answer, though it is done")
        return result
