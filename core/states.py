"""The states of a booking and of its payment, and the moves between them (flow.md, "States").

booking:  pending -> confirmed -> in_progress -> completed      any but completed -> cancelled
payment:  pending -> dp_paid -> paid      pending -> failed -> pending      paid, dp_paid -> refunded
"""

from enum import StrEnum

from core.refusals import InvalidTransition


class BookingStatus(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class PaymentStatus(StrEnum):
    PENDING = "pending"
    DP_PAID = "dp_paid"
    PAID = "paid"
    FAILED = "failed"
    REFUNDED = "refunded"


class RequestState(StrEnum):
    """The state of a payment request (one Midtrans order_id)."""

    WANTED = "wanted"  # the link isn't made yet
    OPEN = "open"  # the link can be paid
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class RefundState(StrEnum):
    """The state of a refund."""

    WANTED = "wanted"  # a worker asks Midtrans for it
    BY_HAND = "by_hand"  # staff transfers it, since Midtrans can't
    DONE = "done"


class WaitState(StrEnum):
    """Of a waitlist entry."""

    WAITING = "waiting"
    OFFERED = "offered"  # a booking is held for some minutes
    TAKEN = "taken"
    ENDED = "ended"  # the offer ran out, it was left, or its start has come


class CostState(StrEnum):
    """The state of an additional cost: only an agreed one is billed."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    REFUSED = "refused"


class RequestPurpose(StrEnum):
    DOWN_PAYMENT = "down_payment"
    FULL = "full"
    BALANCE = "balance"


class LedgerKind(StrEnum):
    """How money moved: in by Midtrans or in cash, out by a refund, a bank's reversal or a chargeback."""

    RECEIVED = "received"
    CASH = "cash"
    REFUNDED = "refunded"
    REVERSED = "reversed"
    CHARGED_BACK = "charged_back"


class RefundReason(StrEnum):
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    OVERPAID = "overpaid"
    CHANGED = "changed"  # the booking was changed and costs less
    LATE = "late"  # it came when the booking was cancelled, or its slot was gone


class CreditReason(StrEnum):
    """Why a credit note takes something off a booking's invoices."""

    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    CHANGED = "changed"  # another invoice replaces them
    REFUNDED = "refunded"  # money went back that nobody had asked for here


class Outcome(StrEnum):
    """The result of settling a status answer of Midtrans."""

    NO_ATTEMPT = "nothing"
    OTHER_ORDER = "another order"
    UNKNOWN_ORDER = "unknown order"  # money for an order that we have no request for
    NO_EFFECT = "no effect"  # a linked account or a subscription, which this shop doesn't sell
    OUT_OF_DATE = "out of date"  # a newer answer about the attempt is known
    UNKNOWN_STATUS = "unknown status"
    WAITING = "waiting"
    CHALLENGED = "challenged"
    IGNORED = "ignored"
    RECEIVED = "received"
    RECEIVED_BEFORE = "received before"
    SECOND_PAYMENT = "second payment"
    OTHER_AMOUNT = "another amount"
    UNUSABLE_AMOUNT = "wrong amount"  # not a positive number of rupiah
    DENIED = "attempt denied"
    REVERSED = "reversed"
    REVERSED_BEFORE = "reversed before"
    VOIDED = "voided"
    REFUNDED = "refunded"
    REFUNDED_BEFORE = "refunded before"
    CHARGED_BACK = "charged_back"
    CHARGED_BACK_BEFORE = "charged_back before"
    ENDED = "ended"
    OTHER_ATTEMPT_OPEN = "another attempt lives"
    EXPIRED = "expired"


class EventKind(StrEnum):
    """Of a `BookingEvent`."""

    CREATED = "created"
    HELD_AGAIN = "held_again"
    HOLD_ENDED = "hold_ended"
    CONFIRMED = "confirmed"
    MOVED = "moved"
    CHANGED = "changed"
    CUSTOMER_LATE = "customer_late"  # or on the way, or asks where the technician is
    KEPT = "kept"  # in spite of what stands against it
    CANCELLED = "cancelled"
    LINK_SENT = "link_sent"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_EXPIRED = "payment_expired"
    RECEIVED = "received"
    CASH = "cash"
    REFUNDED = "refunded"
    REVERSED = "reversed"
    CHARGED_BACK = "charged_back"
    ASSIGNED = "assigned"
    ON_MY_WAY = "on_my_way"
    STARTED = "started"
    NOTE = "note"
    COST_PROPOSED = "cost_proposed"
    COST_AGREED = "cost_agreed"
    COST_REFUSED = "cost_refused"
    COMPLETED = "completed"
    RATED = "rated"


class VisitNews(StrEnum):
    """What a customer says or asks on the day of the appointment."""

    LATE = "late"
    ON_THE_WAY = "otw"
    WHERE = "asks_where"  # the technician of an on-site job is


class CallReason(StrEnum):
    """Why a customer needs a person."""

    ASKED = "asked"
    COMPLAINT = "complaint"
    CLAIM = "claim"
    PROOF = "proof"  # of a transfer
    UNKNOWN_FIT = "unknown_fit"
    MISSES = "misses"  # not understood three times
    HAGGLE = "haggle"
    REPLY = "reply"  # an answer to what an admin wrote
    OTHER = "other"


class Actor(StrEnum):
    """Who did something; staff members are named instead."""

    CUSTOMER = "customer"
    SYSTEM = "system"
    MIDTRANS = "midtrans"


class PaymentMethod(StrEnum):
    """How the customer wants to pay; `dp` is what the REST API calls a down payment by any method.

    `any`: the customer chooses on Midtrans' page, as chats ask for no method.
    """

    TRANSFER = "transfer"
    EWALLET = "ewallet"
    VA = "va"
    QRIS = "qris"
    CARD = "card"
    COD = "cod"
    DP = "dp"
    ANY = "any"


class Location(StrEnum):
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
    """Raise `InvalidTransition` unless a booking may go from `now` to `then`."""
    if then not in _MOVES[now]:
        raise InvalidTransition(now=now, then=then)
