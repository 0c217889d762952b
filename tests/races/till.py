"""A Midtrans client for the money tests: calls the stand-in's account directly, with simulated outages."""

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
    """How calls to Midtrans fail."""

    FINE = "fine"
    DOWN = "down"  # no call arrives
    BLIND = "blind"  # status calls work; other calls are processed, but their response is lost
    MUTE = "mute"  # every call is processed, but its response is lost


class Till(Midtrans):
    """The payment worker's client, with access to the real pages, attempts, money and notifications."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(server_key="SB-Mid-server-till", client_key="", production=False)
        self.account = MidtransAccount(
            server_key="SB-Mid-server-till", merchant="Till", clock=clock, public_url="https://pay.example"
        )
        self.weather = Weather.FINE
        self.pages: list[str] = []
        """Tokens in order of creation."""

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
        """The response to a status call, without outages."""
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
        """All notifications sent, oldest first."""
        return [sent.body for sent in self.account.notifications.sent]

    @property
    def attempts(self) -> list[Transaction]:
        """All payment attempts, oldest first."""
        names = dict.fromkeys(body["transaction_id"] for body in self.notifications)
        return [self.account.find(name) for name in names]

    def of(self, attempt: Transaction) -> list[Sent]:
        """The notifications of an attempt, oldest first."""
        return [sent for sent in self.account.notifications.sent if sent.body["transaction_id"] == attempt.id]

    @staticmethod
    def money(attempt: Transaction) -> int:
        """The attempt's money that the shop really has now."""
        charged = attempt.status == "capture" and attempt.fraud == "accept"
        return attempt.remaining if attempt.status in PAID or charged else 0

    async def _asked(self, deed: Callable[[], Awaitable[Result]]) -> Result:
        if self.weather is Weather.DOWN:
            raise MidtransTrouble("no answer")
        try:
            result = await deed()
        except ApiError as error:
            raise MidtransRefused(error.code, error.messages) from None
        if self.weather is not Weather.FINE:
            raise MidtransTrouble("no answer, but the call was processed")
        return result
