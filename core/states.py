"""The states of a booking and of its payment, and the moves between them (flow.md, "States").

booking:  pending -> confirmed -> in_progress -> completed      any but completed -> cancelled
payment:  pending -> dp_paid -> paid      pending -> failed -> pending      paid, dp_paid -> refunded
"""

from enum import StrEnum

from core.refusals import InvalidTransition


class BookingStatus(StrEnum):
    """Where a booking stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class PaymentStatus(StrEnum):
    """Where the money of a booking stands."""

    PENDING = "pending"
    DP_PAID = "dp_paid"
    PAID = "paid"
    FAILED = "failed"
    REFUNDED = "refunded"


class RequestState(StrEnum):
    """Where one request for money (one Midtrans order_id) stands."""

    WANTED = "wanted"  # committed with the booking, the Snap link isn't made yet
    OPEN = "open"  # the link lives
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class RefundState(StrEnum):
    """Where money that must go back stands."""

    WANTED = "wanted"  # a worker asks Midtrans for it, always with the same refund_key
    BY_HAND = "by_hand"  # Midtrans can't: staff transfers it and records that
    DONE = "done"


class WaitState(StrEnum):
    """Where somebody's place in the waiting list stands."""

    WAITING = "waiting"
    OFFERED = "offered"  # what they wait for is held for them, for some minutes
    TAKEN = "taken"
    ENDED = "ended"  # the offer ran out, they left the line, or the time is over


class CostState(StrEnum):
    """Where an additional cost stands: only an agreed one is billed."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    REFUSED = "refused"


class PaymentMethod(StrEnum):
    """How the customer wants to pay; `dp` is what the REST API calls a down payment by any method."""

    TRANSFER = "transfer"
    EWALLET = "ewallet"
    VA = "va"
    QRIS = "qris"
    CARD = "card"
    COD = "cod"
    DP = "dp"


class Location(StrEnum):
    """Where the work is done."""

    WORKSHOP = "workshop"
    ONSITE = "onsite"


_MOVES: dict[BookingStatus, frozenset[BookingStatus]] = {
    BookingStatus.PENDING: frozenset({BookingStatus.CONFIRMED, BookingStatus.CANCELLED}),
    BookingStatus.CONFIRMED: frozenset({BookingStatus.IN_PROGRESS, BookingStatus.CANCELLED}),
    BookingStatus.IN_PROGRESS: frozenset({BookingStatus.COMPLETED, BookingStatus.CANCELLED}),
    BookingStatus.COMPLETED: frozenset(),
    BookingStatus.CANCELLED: frozenset(),
}


def check_move(now: BookingStatus, then: BookingStatus) -> None:
    """Raise `InvalidTransition` unless a booking may go from one status to the other."""
    if then not in _MOVES[now]:
        raise InvalidTransition(now=now, then=then)
