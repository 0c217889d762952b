"""A payment page and a payment attempt at the Midtrans stand-in, and Midtrans' JSON format of an attempt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Any
from uuid import UUID

from bot.sandbox.midtrans_notifications import signature
from bot.sandbox.midtrans_rules import Channel, channels_for
from core.money import Money

WESTERN_INDONESIA = timezone(timedelta(hours=7))
MERCHANT_ID = "G000000001"

NOTIFIED_CODES = {
    **dict.fromkeys(("capture", "settlement", "refund", "partial_refund"), "200"),
    **dict.fromkeys(("chargeback", "partial_chargeback"), "200"),
    **dict.fromkeys(("pending", "challenge"), "201"),
    **dict.fromkeys(("deny", "expire", "cancel"), "202"),
}
"""The status_code in a notification, by transaction status."""

STATUS_CODES = NOTIFIED_CODES | {"expire": "407", "cancel": "200"}
"""The status_code in the response to a status call."""


class FeeTold(StrEnum):
    """Where a transaction's JSON says that its gross_amount includes a fee."""

    IN_METADATA = "metadata"
    AT_TOP_LEVEL = "extra_info"
    NOWHERE = "nowhere"


@dataclass(slots=True)
class Page:
    token: str
    body: Mapping[str, Any]
    created_at: datetime
    ends_at: datetime
    closed_at: datetime | None = None

    @property
    def order_id(self) -> str:
        return str(self.body["transaction_details"]["order_id"])

    @property
    def amount(self) -> Money:
        return int(self.body["transaction_details"]["gross_amount"])

    @property
    def channels(self) -> list[Channel]:
        return channels_for(self.body)


@dataclass(slots=True)
class Transaction:
    """One payment attempt, which begins when a channel is chosen."""

    id: str
    order_id: str
    channel: Channel
    amount: Money
    created_at: datetime
    expires_at: datetime
    status: str = "pending"
    fraud: str = "accept"
    settled_at: datetime | None = None
    card: str = ""
    fee: Money = 0
    """Paid by the customer, beyond `amount`."""
    fee_told: FeeTold = FeeTold.IN_METADATA
    refunds: dict[str, Money] = field(default_factory=dict)
    chargebacks: dict[str, Money] = field(default_factory=dict)

    @property
    def remaining(self) -> Money:
        """The paid amount less refunds and chargebacks."""
        return self.amount - sum(self.refunds.values()) - sum(self.chargebacks.values())

    @property
    def challenged(self) -> bool:
        """Whether the fraud check waits for the merchant's review."""
        return self.status == "capture" and self.fraud == "challenge"


def transaction_json(transaction: Transaction, codes: Mapping[str, str], server_key: str) -> dict[str, Any]:
    """The fields that notifications and status responses share, signed."""
    code, amount = status_code(transaction, codes), rupiah(transaction.amount + transaction.fee)
    return {
        "transaction_time": local(transaction.created_at),
        "transaction_status": transaction.status,
        "transaction_id": transaction.id,
        "status_code": code,
        "signature_key": signature(transaction.order_id, code, amount, server_key),
        "payment_type": transaction.channel.payment_type,
        "order_id": transaction.order_id,
        "merchant_id": MERCHANT_ID,
        "gross_amount": amount,
        "fraud_status": transaction.fraud,
        "currency": "IDR",
        "expiry_time": local(transaction.expires_at),
        **({"settlement_time": local(transaction.settled_at)} if transaction.settled_at else {}),
        **payment_details(transaction),
        **_fee_fields(transaction),
        **_refund_fields(transaction),
    }


def payment_details(transaction: Transaction) -> dict[str, Any]:
    """The fields specific to the payment type: account numbers, payment codes or the masked card."""
    channel, digits = transaction.channel, str(UUID(transaction.id).int)
    match channel.payment_type:
        case "echannel":
            return {"biller_code": "70012", "bill_key": digits[:12]}
        case "bank_transfer" if channel.bank == "permata":
            return {"permata_va_number": f"8778{digits[:12]}"}
        case "bank_transfer":
            return {"va_numbers": [{"bank": channel.bank, "va_number": digits[:16]}], "payment_amounts": []}
        case "qris":
            return {"acquirer": "gopay", "issuer": "gopay"}
        case "cstore":
            return {"store": channel.name, "payment_code": digits[:14]}
        case "credit_card" if transaction.card:
            approval = {"approval_code": digits[:13]} if transaction.status != "deny" else {}
            return {"masked_card": transaction.card, "bank": channel.bank, "card_type": "credit"} | approval
    return {}


def _fee_fields(transaction: Transaction) -> dict[str, Any]:
    amounts = {
        "original_amount": transaction.amount,
        "gross_amount": transaction.amount + transaction.fee,
        "customer_imposed_payment_fee": transaction.fee,
    }
    info = {"extra_info": {"gross_amount_info": {name: str(amount) for name, amount in amounts.items()}}}
    if not transaction.fee or transaction.fee_told is FeeTold.NOWHERE:
        return {}
    return {"metadata": info} if transaction.fee_told is FeeTold.IN_METADATA else info


def _refund_fields(transaction: Transaction) -> dict[str, Any]:
    """All refunds and chargebacks, and their sum."""
    returned = [("refund_key", *refund) for refund in transaction.refunds.items()]
    returned += [("refund_chargeback_id", *chargeback) for chargeback in transaction.chargebacks.items()]
    if not returned:
        return {}
    listed = [{name: key, "refund_amount": rupiah(amount)} for name, key, amount in returned]
    return {"refund_amount": rupiah(transaction.amount - transaction.remaining), "refunds": listed}


def status_code(transaction: Transaction, codes: Mapping[str, str]) -> str:
    """The status_code for the attempt's status."""
    return codes["challenge" if transaction.challenged else transaction.status]


def rupiah(amount: Money) -> str:
    """Midtrans' amount format: rupiah with two decimals."""
    return f"{amount}.00"


def local(moment: datetime) -> str:
    """Midtrans' time format: GMT+7 without an offset."""
    return moment.astimezone(WESTERN_INDONESIA).strftime("%Y-%m-%d %H:%M:%S")
