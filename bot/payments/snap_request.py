"""The body of a Snap transaction for a request of ours, as Midtrans wants it.

Source: https://docs.midtrans.com/reference/request-body-json-parameter
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TypedDict

from conversations.texts import render
from core.db.tables import Booking, PaymentRequest
from core.messaging.messages import Say, say
from core.money import Money
from core.states import RequestPurpose

MOST_BYTES = 16_000
MOST_NAME = 50
SHORTEST_PAGE = 5
"""Minutes: the least `page_expiry` that Midtrans takes."""
_MIDTRANS_ZONE = timezone(timedelta(hours=7))


class Item(TypedDict):
    """One line of the payment page; a negative price takes off what was paid before."""

    id: str
    name: str
    price: Money
    quantity: int


def snap_body(request: PaymentRequest, booking: Booking, *, now: datetime, finish_url: str) -> Mapping[str, object]:
    """What to send to make the link of a request; the page ends with the request, but Midtrans wants five minutes.

    A link that is made so late can outlive its hold by these; what is paid then is settled as late money.
    """
    minutes = max(SHORTEST_PAGE, int((request.expires_at - now) / timedelta(minutes=1)))
    body = {
        "transaction_details": {"order_id": request.order_id, "gross_amount": request.amount},
        "item_details": items(request, booking),
        "customer_details": _customer(booking),
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
    if len(json.dumps(body)) > MOST_BYTES:
        body["item_details"] = [_one(request, booking)]
    return body


def items(request: PaymentRequest, booking: Booking) -> list[Item]:
    """The lines of the payment page, whose sum is the amount asked for."""
    if request.purpose is RequestPurpose.DOWN_PAYMENT:
        return [_one(request, booking)]
    lines = [
        _item(
            line.part_id or line.service_id or f"line-{line.id}", line.name, line.total // line.quantity, line.quantity
        )
        for line in booking.lines
    ]
    if booking.tax_amount:
        lines.append(_item("ppn", _words(say("snap.tax"), booking), booking.tax_amount))
    if kept := booking.paid_amount - booking.going_back:
        lines.append(_item("paid", _words(say("snap.paid"), booking), -kept))
    # What the customer owes may have changed since the request was made; then one line says it all.
    return lines if _sum(lines) == request.amount else [_one(request, booking)]


def _one(request: PaymentRequest, booking: Booking) -> Item:
    words = say(f"snap.{request.purpose}", code=booking.code, percent=booking.down_payment_percent or 0)
    return _item(booking.code, _words(words, booking), request.amount)


def _item(identifier: str, name: str, price: Money, quantity: int = 1) -> Item:
    return Item(id=identifier[:MOST_NAME], name=name[:MOST_NAME], price=price, quantity=quantity)


def _sum(lines: list[Item]) -> Money:
    return sum(line["price"] * line["quantity"] for line in lines)


def _words(text: Say, booking: Booking) -> str:
    return render(text, booking.language)


def _customer(booking: Booking) -> dict[str, str]:
    known = {"first_name": booking.name[:255], "phone": booking.phone, "email": booking.email}
    return {name: value for name, value in known.items() if value}
