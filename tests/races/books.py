"""Invariants of payments, refunds and invoices, checked after every step of the money tests."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.db.tables import (
    Booking,
    Counter,
    CreditNote,
    Invoice,
    LedgerEntry,
    PaymentAttempt,
    PaymentRequest,
    Receipt,
    Refund,
)
from core.payment.totals import OPEN_STATES
from core.states import BookingStatus, PaymentStatus, RefundState

DEAD = (BookingStatus.CANCELLED, BookingStatus.COMPLETED)
Pot = tuple[str | None, str | None]


@dataclass(frozen=True)
class Entry:
    """A ledger entry, detached from its session."""

    id: int
    booking_id: int
    kind: str
    amount: int
    order_id: str | None
    transaction_id: str | None
    reference: str
    method: str


class Books:
    """A snapshot of all rows about money."""

    def __init__(self) -> None:
        self.bookings: list[Booking] = []
        self.entries: list[Entry] = []
        self.requests: list[PaymentRequest] = []
        self.refunds: list[Refund] = []
        self.receipts: list[Receipt] = []
        self.invoices: list[Invoice] = []
        self.notes: list[CreditNote] = []
        self.counters: dict[str, int] = {}
        self.known: dict[str, str] = {}
        """Last confirmed status by transaction id."""
        self.first_prices: dict[int, int] = {}
        """Each booking's price before additional costs."""

    @classmethod
    async def read(cls, session: AsyncSession) -> "Books":
        books = cls()
        books.bookings = list(await session.scalars(select(Booking).order_by(Booking.id)))
        columns = (getattr(LedgerEntry, name) for name in Entry.__dataclass_fields__)
        books.entries = [Entry(*row) for row in await session.execute(select(*columns).order_by(LedgerEntry.id))]
        books.requests = list(await session.scalars(select(PaymentRequest).order_by(PaymentRequest.order_id)))
        books.refunds = list(await session.scalars(select(Refund).order_by(Refund.key)))
        books.receipts = list(await session.scalars(select(Receipt).order_by(Receipt.number)))
        books.invoices = list(await session.scalars(select(Invoice).order_by(Invoice.number)))
        books.notes = list(await session.scalars(select(CreditNote).order_by(CreditNote.number)))
        books.counters = {row.name: row.last for row in await session.scalars(select(Counter))}
        words = await session.execute(select(PaymentAttempt.transaction_id, PaymentAttempt.status))
        books.known = {row.transaction_id: row.status for row in words}
        return books

    def paid(self, booking: Booking) -> int:
        return max(0, sum(each.amount for each in self.entries if each.booking_id == booking.id))

    def going_back(self, booking: Booking) -> int:
        return sum(
            each.amount for each in self.refunds if each.booking_id == booking.id and each.state is not RefundState.DONE
        )

    def net(self, booking: Booking) -> int:
        """What was paid less pending refunds."""
        return self.paid(booking) - self.going_back(booking)

    def of_attempt(self, transaction_id: str) -> int:
        """The ledger's sum of an attempt, without manual transfers."""
        return sum(
            each.amount
            for each in self.entries
            if each.transaction_id == transaction_id and not each.reference.endswith("-transfer")
        )

    def billed(self, booking: Booking) -> int | None:
        """Invoices less credit notes; None before the first invoice."""
        invoices = [each.facts["total"] for each in self.invoices if each.booking_id == booking.id]
        notes = [each.facts["total"] for each in self.notes if each.booking_id == booking.id]
        return sum(invoices) - sum(notes) if invoices else None

    def check(self, before: "Books", kept: dict[str, int]) -> None:
        """Check all invariants; `kept` is what the shop may keep of each cancelled booking, by code."""
        assert self.entries[: len(before.entries)] == before.entries, "an entry was changed or lost"
        self.first_prices = {each.id: before.first_prices.get(each.id, each.total_price) for each in self.bookings}
        self._check_attempts()
        self._check_papers()
        for booking in self.bookings:
            self._check_status(booking)
            self._check_requests(booking)
            self._check_kept(booking, kept)
            net = self.net(booking)
            billed = self.billed(booking)
            if booking.status is BookingStatus.CANCELLED:
                assert net <= kept[booking.code], (
                    "a cancelled booking keeps more money than allowed without owing a refund"
                )
                assert billed is None or 0 <= billed <= kept[booking.code], (
                    "a cancelled booking is billed more than the shop may keep"
                )
            else:
                assert net <= booking.total_price, "paid more than it costs, and no refund is owed"
                assert billed is None or billed <= booking.total_price, "billed more than it costs"
            if booking.status in DEAD:
                assert not booking.holding, "a cancelled or completed booking holds places"

    def _check_kept(self, booking: Booking, kept: dict[str, int]) -> None:
        """Refunds don't exceed what must go back; chargebacks and dashboard refunds may reduce what the shop keeps."""
        out = -sum(each.amount for each in self.entries if each.booking_id == booking.id and each.amount < 0)
        done = (each for each in self.refunds if each.booking_id == booking.id and each.state is RefundState.DONE)
        taken = out - sum(each.amount for each in done)
        assert taken >= 0, "a refund is done, but no money was returned"
        if booking.status is BookingStatus.CANCELLED:
            due = kept[booking.code]
        else:
            due = min(self.first_prices[booking.id], self._paid_once(booking))
        assert self.net(booking) >= due - taken, "a refund includes money that the shop may keep"

    def _paid_once(self, booking: Booking) -> int:
        """Cash, and the first payment of each request; any further payment is refunded."""
        mine = [each for each in self.entries if each.booking_id == booking.id]
        first: dict[str | None, int] = {}
        for entry in mine:
            if entry.kind == "received":
                first.setdefault(entry.order_id, entry.amount)
        return sum(first.values()) + sum(each.amount for each in mine if each.kind == "cash")

    def _check_status(self, booking: Booking) -> None:
        paid = self.paid(booking)
        assert booking.paid_amount == paid, "the paid amount differs from the ledger"
        if paid:
            status = PaymentStatus.PAID if paid >= booking.total_price else PaymentStatus.DP_PAID
            assert booking.payment_status is status, "the payment status doesn't match the ledger"
        else:
            assert booking.payment_status not in (PaymentStatus.PAID, PaymentStatus.DP_PAID)

    def _check_requests(self, booking: Booking) -> None:
        alive = [each for each in self.requests if each.booking_id == booking.id and each.state in OPEN_STATES]
        assert len(alive) <= 1, "a booking has two live payment requests"
        assert not alive or booking.status is not BookingStatus.CANCELLED, (
            "a cancelled booking has a live payment request"
        )
        for request in alive:
            asked_and_there = request.amount + booking.paid_amount - self.going_back(booking)
            assert asked_and_there <= booking.total_price, "a payment request asks for money that is already paid"

    def _check_attempts(self) -> None:
        left: defaultdict[Pot, int] = defaultdict(int)
        brought: defaultdict[str, int] = defaultdict(int)
        for entry in self.entries:
            if entry.transaction_id:
                brought[entry.transaction_id] += {"received": 1, "reversed": -1}.get(entry.kind, 0)
                left[entry.transaction_id, ""] += entry.amount
        assert set(brought.values()) <= {0, 1}, "an attempt was entered twice"
        for refund in self.refunds:
            if refund.transaction_id and refund.state is not RefundState.DONE:
                left[refund.transaction_id, ""] -= refund.amount
                assert left[refund.transaction_id, ""] >= 0, "more is owed back than was paid"

    def _check_papers(self) -> None:
        money_in = [(each.id, each.amount) for each in self.entries if each.kind in ("received", "cash")]
        assert sorted((each.entry_id, each.facts["amount"]) for each in self.receipts) == money_in
        for papers, prefix, counter in (
            (self.invoices, "INV", "invoice"),
            (self.notes, "NK", "credit_note"),
            (self.receipts, "KW", "receipt"),
        ):
            years = {
                name.partition(":")[2]: last for name, last in self.counters.items() if name.startswith(f"{counter}:")
            }
            expected = [
                f"{prefix}/{year}/{number:05}" for year, last in sorted(years.items()) for number in range(1, last + 1)
            ]
            assert [each.number for each in papers] == expected, "document numbers have gaps"
