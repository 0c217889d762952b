"""A payment page and an attempt to pay at the Midtrans stand-in, and how Midtrans describes an attempt in JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from bot.sandbox.midtrans_notifications import signature
from bot.sandbox.midtrans_rules import Channel, offered
from core.money import Money

WESTERN_INDONESIA = timezone(timedelta(hours=7))
MERCHANT_ID = "G000000001"

NOTIFIED_CODES = {
    **dict.fromkeys(("capture", "settlement", "refund", "partial_refund"), "200"),
    **dict.fromkeys(("chargeback", "partial_chargeback"), "200"),
    **dict.fromkeys(("pending", "challenge"), "201"),
    **dict.fromkeys(("deny", "expire", "cancel"), "202"),
}
"""The status_code of a notification, by what it tells."""

STATUS_CODES = NOTIFIED_CODES | {"expire": "407", "cancel": "200"}
"""The status_code of an answer to a status call."""


@dataclass(slots=True)
class Page:
    """One Snap payment page."""

    token: str
    body: Mapping[str, Any]
    created_at: datetime
    ends_at: datetime
    closed_at: datetime | None = None

    @property
    def order_id(self) -> str:
        """The merchant's name for what is paid."""
        return str(self.body["transaction_details"]["order_id"])

    @property
    def amount(self) -> Money:
        """What is to be paid."""
        return int(self.body["transaction_details"]["gross_amount"])

    @property
    def channels(self) -> list[Channel]:
        """The ways to pay that it shows."""
        return offered(self.body)


@dataclass(slots=True)
class Transaction:
    """One attempt to pay: from the choice of a channel on."""

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
    refunds: dict[str, Money] = field(default_factory=dict)
    chargebacks: dict[str, Money] = field(default_factory=dict)

    @property
    def left(self) -> Money:
        """What didn't go back yet of what was paid."""
        return self.amount - sum(self.refunds.values()) - sum(self.chargebacks.values())

    @property
    def challenged(self) -> bool:
        """Whether the fraud check wants a person to look first."""
        return self.status == "capture" and self.fraud == "challenge"


def described(transaction: Transaction, codes: Mapping[str, str], server_key: str) -> dict[str, Any]:
    """The fields that notifications and status answers share, signed."""
    code, amount = status_code(transaction, codes), rupiah(transaction.amount)
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
        **to_pay_with(transaction),
        **_sent_back(transaction),
    }


def to_pay_with(transaction: Transaction) -> dict[str, Any]:
    """The fields that only this payment type has: numbers to pay to, or the card paid with."""
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


def _sent_back(transaction: Transaction) -> dict[str, Any]:
    """Every refund and chargeback so far, and their sum."""
    went = [("refund_key", *refund) for refund in transaction.refunds.items()]
    went += [("refund_chargeback_id", *chargeback) for chargeback in transaction.chargebacks.items()]
    if not went:
        return {}
    listed = [{name: key, "refund_amount": rupiah(amount)} for name, key, amount in went]
    return {"refund_amount": rupiah(transaction.amount - transaction.left), "refunds": listed}


def status_code(transaction: Transaction, codes: Mapping[str, str]) -> str:
    """The status_code that goes with what became of an attempt."""
    return codes["challenge" if transaction.challenged else transaction.status]


def rupiah(amount: Money) -> str:
    """Midtrans writes whole rupiah with two decimals."""
    return f"{amount}.00"


def local(moment: datetime) -> str:
    """Midtrans writes times in GMT+7, without saying so."""
    return moment.astimezone(WESTERN_INDONESIA).strftime("%Y-%m-%d %H:%M:%S")
