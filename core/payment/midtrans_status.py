"""Midtrans' status of an attempt to pay. An attempt has a transaction_id; the request that it pays has an order_id."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import NamedTuple

from core.money import Money


class Meaning(StrEnum):
    RECEIVED = "received"
    WAITING = "waiting"
    CHALLENGED = "challenged"
    DENIED = "denied"
    ENDED = "ended"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"
    UNKNOWN = "unknown"


PAYABLE = (Meaning.WAITING, Meaning.CHALLENGED)
OVER = (Meaning.DENIED, Meaning.ENDED)


class Return(NamedTuple):
    """Money that went back, with Midtrans' key for it."""

    reference: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Attempt:
    transaction_id: str
    order_id: str
    status: str
    meaning: Meaning
    amount: Money | None
    """None: not a whole number of rupiah."""
    currency: str
    method: str
    returned: tuple[Return, ...]
    evidence: Mapping[str, object]


def read_status(answer: Mapping[str, object]) -> Attempt:
    """The attempt in a status answer or a notification; missing texts are empty."""
    status = _word(answer, "transaction_status")
    return Attempt(
        transaction_id=_text(answer, "transaction_id"),
        order_id=_text(answer, "order_id"),
        status=status,
        meaning=meaning(status, _word(answer, "fraud_status")),
        amount=_rupiah(answer.get("gross_amount")),
        currency=_text(answer, "currency") or "IDR",
        method=_word(answer, "payment_type"),
        returned=_returned(answer),
        evidence={name: value for name, value in answer.items() if name != "signature_key"},
    )


def meaning(status: str, fraud_status: str) -> Meaning:
    """The meaning of a lowercase transaction_status, and of the fraud_status that comes with a card's capture."""
    match status, fraud_status:
        case "settlement", _:
            return Meaning.RECEIVED
        case "capture", "accept" | "":
            return Meaning.RECEIVED
        case "capture", "challenge":
            return Meaning.CHALLENGED
        case ("capture", "deny") | ("deny", _):
            return Meaning.DENIED
        case (("pending" | "authorize"), _):
            return Meaning.WAITING
        case (("expire" | "cancel" | "failure"), _):
            return Meaning.ENDED
        case (("refund" | "partial_refund"), _):
            return Meaning.REFUNDED
        case (("chargeback" | "partial_chargeback"), _):
            return Meaning.CHARGED_BACK
        case _:
            return Meaning.UNKNOWN


def _returned(answer: Mapping[str, object]) -> tuple[Return, ...]:
    refunds = answer.get("refunds")
    listed = [_return(item) for item in refunds if isinstance(item, Mapping)] if isinstance(refunds, list) else []
    if listed:
        return tuple(each for each in listed if each)
    alone = _return(answer)
    return (alone,) if alone else ()


def _return(item: Mapping[str, object]) -> Return | None:
    amount = _rupiah(item.get("refund_amount"))
    if not amount or amount < 0:
        return None
    names = ("refund_key", "refund_chargeback_id", "refund_chargeback_uuid", "transaction_id")
    return Return(next((text for name in names if (text := _text(item, name))), ""), amount)


def _rupiah(value: object) -> Money | None:
    if not isinstance(value, str | int):
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return None
    return int(amount) if amount.is_finite() and amount == amount.to_integral_value() else None


def _word(answer: Mapping[str, object], name: str) -> str:
    return _text(answer, name).lower()


def _text(answer: Mapping[str, object], name: str) -> str:
    value = answer.get(name)
    return str(value) if isinstance(value, str | int) else ""
