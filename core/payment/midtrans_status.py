"""Midtrans' status of an attempt to pay. An attempt has a transaction_id; the request that it pays has an order_id.

Where a shop has its customers pay Midtrans' fee, `gross_amount` includes it. The fee is Midtrans' money: it is no part
of an attempt's amount, and nobody is owed it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
MONEY_MOVED = (Meaning.RECEIVED, Meaning.REFUNDED, Meaning.CHARGED_BACK)
_FEE_LEAST, _FEE_FLAT, _FEE_PERCENT = 6_500, 2_500, 4
"""The largest fee without metadata: Rp6.500, or 4 % and Rp2.500 if that is more. The dearest channels charge Rp5.000
(convenience stores) and 2.9 % and Rp2.000 (cards), each plus PPN."""


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
    """Without the fee; None: not a whole number of rupiah."""
    fee: Money
    """What the customer paid Midtrans beyond `amount`."""
    currency: str
    method: str
    returned: tuple[Return, ...]
    evidence: Mapping[str, object]


def read_status(answer: Mapping[str, object]) -> Attempt:
    """The attempt in a status answer or a notification; missing texts are empty."""
    status = _word(answer, "transaction_status")
    attempt = Attempt(
        transaction_id=_text(answer, "transaction_id"),
        order_id=_text(answer, "order_id"),
        status=status,
        meaning=meaning(status, _word(answer, "fraud_status")),
        amount=_rupiah(answer.get("gross_amount")),
        fee=0,
        currency=_text(answer, "currency") or "IDR",
        method=_word(answer, "payment_type"),
        returned=_returned(answer),
        evidence={name: value for name, value in answer.items() if name != "signature_key"},
    )
    return _less(attempt, _reported_fee(answer, attempt.amount or 0))


def for_request(attempt: Attempt, requested: Money) -> Attempt:
    """An attempt of a request for that amount; a little more than it is a fee, where Midtrans reports none."""
    over = (attempt.amount or 0) - requested
    largest = max(_FEE_LEAST, requested * _FEE_PERCENT // 100 + _FEE_FLAT)
    return _less(attempt, over) if not attempt.fee and over <= largest else attempt


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


def _less(attempt: Attempt, fee: Money) -> Attempt:
    """The attempt without that fee (0 or less: none), also where the fee went back to the customer."""
    if fee <= 0 or attempt.amount is None:
        return attempt
    amount = attempt.amount - fee
    return replace(attempt, amount=amount, fee=fee, returned=tuple(_at_most(attempt.returned, amount)))


def _at_most(returned: Sequence[Return], amount: Money) -> Iterator[Return]:
    for each in returned:
        if part := min(each.amount, amount):
            yield each._replace(amount=part)
        amount -= part


def _reported_fee(answer: Mapping[str, object], gross: Money) -> Money:
    """The fee by `gross_amount_info`, in `metadata.extra_info` or in `extra_info`; 0 where it isn't there or absurd.

    Both places are seen: https://github.com/Midtrans/midtrans-php/issues/118
    """
    for outer in (answer.get("metadata"), answer):
        extra = outer.get("extra_info") if isinstance(outer, Mapping) else None
        info = extra.get("gross_amount_info") if isinstance(extra, Mapping) else None
        original = _rupiah(info.get("original_amount")) if isinstance(info, Mapping) else None
        if original and 0 < original < gross:
            return gross - original
    return 0


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
