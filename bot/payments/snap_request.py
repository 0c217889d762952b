"""The body of a Snap transaction for a payment request.

Source: https://docs.midtrans.com/reference/request-body-json-parameter
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TypedDict

from conversations.texts import render
from core.db.tables import Booking, PaymentRequest
from core.messaging.messages import say
from core.money import Money
from core.states import RequestPurpose

MAX_BYTES = 16_000
MAX_NAME = 50
MIN_EXPIRY = 5
"""Minutes: the shortest `page_expiry` that Midtrans accepts."""
_MIDTRANS_ZONE = timezone(timedelta(hours=7))


class Item(TypedDict):
    """One line of the payment page; a negative price deducts an earlier payment."""

    id: str
    name: str
    price: Money
    quantity: int


def snap_body(request: PaymentRequest, booking: Booking, *, now: datetime, finish_url: str) -> Mapping[str, object]:
    """The page expires with the request, but not before five minutes, as Midtrans wants.

    So a link that is made late can outlive the hold; such a payment is settled as a late one.
    """
    minutes = max(MIN_EXPIRY, int((request.expires_at - now) / timedelta(minutes=1)))
    customer = {"first_name": booking.name[:255], "phone": booking.phone, "email": booking.email}
    body = {
        "transaction_details": {"order_id": request.order_id, "gross_amount": request.amount},
        "item_details": items(request, booking),
        "customer_details": {name: value for name, value in customer.items() if value},
        "enabled_payments": request.channels,
        "credit_card": {"secure": True},
        "callbacks": {"finish": finish_url, "error": finish_url},
        "expiry": {
            "start_time": f"{now.astimezone(_MIDTRANS_ZONE):%Y-%m-%d %H:%M:%S %z}",
            "unit": "minutes",
            "duration": minutes,
        },
        "page_expiry": {"unit": "minutes", "duration": minutes},
    }
    if len(json.dumps(body)) > MAX_BYTES:
        body["item_details"] = [_single(request, booking)]
    return body


def items(request: PaymentRequest, booking: Booking) -> list[Item]:
    """The lines of the payment page; they add up to the amount of the request."""
    if request.purpose is RequestPurpose.DOWN_PAYMENT:
        return [_single(request, booking)]
    found = [
        _item(
            line.part_id or line.service_id or f"line-{line.id}", line.name, line.total // line.quantity, line.quantity
        )
        for line in booking.lines
    ]
    if booking.tax_amount:
        found.append(_item("ppn", render(say("snap.tax"), booking.language), booking.tax_amount))
    if kept := booking.paid_amount - booking.going_back:
        found.append(_item("paid", render(say("snap.paid"), booking.language), -kept))
    total = sum(item["price"] * item["quantity"] for item in found)
    # The amount due may have changed since the request was made; then a single line stands for all.
    return found if total == request.amount else [_single(request, booking)]


def _single(request: PaymentRequest, booking: Booking) -> Item:
    name = say(f"snap.{request.purpose}", code=booking.code, percent=booking.down_payment_percent or 0)
    return _item(booking.code, render(name, booking.language), request.amount)


def _item(identifier: str, name: str, price: Money, quantity: int = 1) -> Item:
    return Item(id=identifier[:MAX_NAME], name=name[:MAX_NAME], price=price, quantity=quantity)
