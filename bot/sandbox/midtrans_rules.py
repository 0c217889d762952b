"""Midtrans' payment channels, and its validation of Snap transactions.

Sources: docs.midtrans.com: Transaction Details Object, Expire a Snap Session, Error Code & Response Code.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from core.money import Money

Group = Literal["va", "ewallet", "qris", "card", "store"]

MAX_BYTES = 16 * 1024
"""Maximum body of a Snap transaction, in bytes."""

MAX_EXPIRY = timedelta(days=7)
MIN_PAGE_EXPIRY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Channel:
    """A payment method on the page."""

    name: str
    payment_type: str
    group: Group
    label: str
    bank: str = ""
    minimum: Money = 1
    maximum: Money = 999_999_999
    refundable: bool = False

    def takes(self, amount: Money) -> bool:
        return self.minimum <= amount <= self.maximum


CHANNELS: Mapping[str, Channel] = {
    channel.name: channel
    for channel in (
        Channel("bca_va", "bank_transfer", "va", "BCA Virtual Account", "bca", minimum=10_000),
        Channel("bni_va", "bank_transfer", "va", "BNI Virtual Account", "bni"),
        Channel("bri_va", "bank_transfer", "va", "BRI Virtual Account (BRIVA)", "bri"),
        Channel("echannel", "echannel", "va", "Mandiri Bill", "mandiri"),
        Channel("permata_va", "bank_transfer", "va", "Permata Virtual Account", "permata"),
        Channel("cimb_va", "bank_transfer", "va", "CIMB Niaga Virtual Account", "cimb"),
        Channel("other_va", "bank_transfer", "va", "Bank lain", "bni"),
        Channel("gopay", "gopay", "ewallet", "GoPay", refundable=True),
        Channel("shopeepay", "shopeepay", "ewallet", "ShopeePay", refundable=True),
        Channel("dana", "dana", "ewallet", "DANA", refundable=True),
        Channel("ovo", "ovo", "ewallet", "OVO", refundable=True),
        Channel("other_qris", "qris", "qris", "QRIS", maximum=10_000_000, refundable=True),
        Channel("credit_card", "credit_card", "card", "Kartu kredit/debit", "bni", minimum=10_000, refundable=True),
        Channel("indomaret", "cstore", "store", "Indomaret", minimum=10_000, maximum=5_000_000),
        Channel("alfamart", "cstore", "store", "Alfamart / Alfamidi"),
    )
}

_UNITS = {
    **dict.fromkeys(("minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("hour", "hours"), timedelta(hours=1)),
    **dict.fromkeys(("day", "days"), timedelta(days=1)),
}


def validation_errors(body: object, now: datetime) -> list[str]:
    """All validation errors of a `POST /snap/v1/transactions` body; empty if it is valid."""
    if not isinstance(body, dict):
        return ["There was a problem in the JSON you submitted"]
    if not isinstance(body.get("transaction_details"), dict):
        return ["transaction_details is required"]
    checks = (_details, _items, _customer, _payments, lambda whole: _expiries(whole, now), _callbacks, _custom_fields)
    return [reason for check in checks for reason in check(body)]


def page_ends(body: Mapping[str, Any], now: datetime) -> datetime:
    """When the page closes: after `page_expiry`, and no later than an `expiry` that has a start time."""
    ends = now + duration_of(body.get("page_expiry") or {"unit": "day", "duration": 1})
    expiry = body.get("expiry") or {}
    return min(ends, payment_ends(body, now)) if "start_time" in expiry else ends


def payment_ends(body: Mapping[str, Any], chosen_at: datetime) -> datetime:
    """When an attempt expires: `expiry` counted from its start_time, else from the choice of the channel."""
    expiry = body.get("expiry") or {"unit": "day", "duration": 1}
    starts = parse_time(expiry["start_time"]) if "start_time" in expiry else chosen_at
    return starts + duration_of(expiry)


def channels_for(body: Mapping[str, Any]) -> list[Channel]:
    """The enabled channels that accept the amount."""
    amount = body["transaction_details"]["gross_amount"]
    enabled = body.get("enabled_payments", list(CHANNELS))
    return [CHANNELS[name] for name in enabled if CHANNELS[name].takes(amount)]


def duration_of(value: Mapping[str, Any]) -> timedelta:
    return _UNITS[value["unit"]] * int(value["duration"])


def parse_time(text: str) -> datetime:
    """Parse a time such as "2026-08-17 09:00:00 +0700"; raises ValueError."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z")


def _details(body: dict[str, Any]) -> Iterator[str]:
    details = body["transaction_details"]
    order_id = details.get("order_id")
    if not isinstance(order_id, str) or not order_id:
        yield "transaction_details.order_id is required"
    elif len(order_id) > 50:
        yield "transaction_details.order_id is too long (maximum is 50 characters)"
    elif not re.fullmatch(r"[A-Za-z0-9\-_~.]+", order_id):
        yield "transaction_details.order_id has characters other than letters, digits, -, _, ~ and ."
    if not _is_whole_number(details.get("gross_amount")):
        yield "transaction_details.gross_amount is not a whole number"
    elif details["gross_amount"] < 1:
        yield "transaction_details.gross_amount must be greater than or equal to 1"


def _items(body: dict[str, Any]) -> Iterator[str]:
    items = body.get("item_details")
    if items is None:
        return
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        yield "item_details must be an array of objects"
        return
    errors = [error for index, item in enumerate(items) for error in _item(index, item)]
    yield from errors
    total = body["transaction_details"].get("gross_amount")
    if not errors and total != sum(item["price"] * item["quantity"] for item in items):
        yield "transaction_details.gross_amount is not equal to the sum of item_details"


def _item(index: int, item: dict[str, Any]) -> Iterator[str]:
    where = f"item_details[{index}]"
    if not isinstance(item.get("name"), str) or not item["name"]:
        yield f"{where}.name is required"
    for field in ("id", "name"):
        if len(str(item.get(field, ""))) > 50:
            yield f"{where}.{field} is too long (maximum is 50 characters)"
    if not _is_whole_number(item.get("price")):
        yield f"{where}.price is not a whole number"
    if not _is_whole_number(item.get("quantity")) or item["quantity"] < 1:
        yield f"{where}.quantity must be a whole number greater than or equal to 1"


def _customer(body: dict[str, Any]) -> Iterator[str]:
    customer = body.get("customer_details", {})
    if not isinstance(customer, dict):
        yield "customer_details must be an object"
        return
    for field in ("first_name", "last_name", "email", "phone"):
        if len(str(customer.get(field, ""))) > 255:
            yield f"customer_details.{field} is too long (maximum is 255 characters)"
    if customer.get("email") and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", str(customer["email"])):
        yield "customer_details.email format is invalid"
    if customer.get("phone") and not re.fullmatch(r"[0-9+\-() ]{5,19}", str(customer["phone"])):
        yield "customer_details.phone format is invalid"


def _payments(body: dict[str, Any]) -> Iterator[str]:
    enabled = body.get("enabled_payments", list(CHANNELS))
    if not isinstance(enabled, list) or not enabled:
        yield "enabled_payments must be an array of payment channels"
        return
    unknown = [name for name in enabled if not isinstance(name, str) or name not in CHANNELS]
    yield from (f"enabled_payments {name} is not a payment channel" for name in unknown)
    amount = body["transaction_details"].get("gross_amount")
    if not unknown and _is_whole_number(amount) and not channels_for(body):
        yield "transaction_details.gross_amount is out of the range of every enabled payment channel"


def _expiries(body: dict[str, Any], now: datetime) -> Iterator[str]:
    for field, minimum in (("expiry", timedelta(minutes=1)), ("page_expiry", MIN_PAGE_EXPIRY)):
        value = body.get(field)
        if value is None:
            continue
        if (
            not isinstance(value, dict)
            or str(value.get("unit")) not in _UNITS
            or not _is_whole_number(value.get("duration"))
        ):
            yield f"{field} needs a unit (minute, hour, day) and a whole duration"
        elif not 1 <= value["duration"] <= 10_080 or not minimum <= duration_of(value) <= MAX_EXPIRY:
            yield f"{field}.duration must lie between {minimum} and {MAX_EXPIRY}"
        elif "start_time" in value and (reason := _start_error(value, now)):
            yield f"{field}.start_time {reason}"


def _start_error(value: dict[str, Any], now: datetime) -> str | None:
    try:
        starts = parse_time(str(value["start_time"]))
    except ValueError:
        return "must be formatted as yyyy-MM-dd HH:mm:ss Z"
    return None if starts + duration_of(value) > now else "and duration lie in the past"


def _callbacks(body: dict[str, Any]) -> Iterator[str]:
    callbacks = body.get("callbacks", {})
    if not isinstance(callbacks, dict):
        yield "callbacks must be an object"
        return
    for name, url in callbacks.items():
        if not re.match(r"https?://[^/\s]", str(url)):
            yield f"callbacks.{name} is not a URL"


def _custom_fields(body: dict[str, Any]) -> Iterator[str]:
    for name in ("custom_field1", "custom_field2", "custom_field3"):
        if len(str(body.get(name, ""))) > 255:
            yield f"{name} is too long (maximum is 255 characters)"


def _is_whole_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
