"""The body of a Snap transaction adds up, keeps the limits, and expires with the hold."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.payments.snap_request import snap_body
from core.db.tables import Booking, BookingLine, PaymentRequest
from core.money import discounted, percent_of
from core.payment.payment_methods import channels
from core.states import PaymentMethod, RequestPurpose

NOW = datetime(2026, 11, 23, 1, 0, 30, tzinfo=UTC)

LINES = st.lists(
    st.builds(
        lambda name, quantity, price, discount: BookingLine(
            part_id=name or None,
            name=name,
            quantity=quantity,
            price=price,
            discount=discount,
            total=quantity * discounted(price, discount),
        ),
        name=st.text(max_size=80),
        quantity=st.integers(1, 20),
        price=st.integers(0, 50_000_000),
        discount=st.integers(0, 100),
    ),
    min_size=1,
    max_size=60,
)


def booking(lines: list[BookingLine], **changes: Any) -> Booking:
    total = sum(line.total for line in lines) + changes.get("tax_amount", 0)
    facts: dict[str, Any] = {
        "code": "BK-7F3K2Q",
        "language": "id",
        "name": "Sari",
        "phone": "+6281234567890",
        "email": None,
        "lines": lines,
        "total_price": total,
        "paid_amount": 0,
        "going_back": 0,
        "waived": 0,
        "tax_amount": 0,
        "down_payment_percent": None,
    }
    return Booking(**facts | changes)


def request(amount: int, purpose: RequestPurpose = RequestPurpose.FULL, *, minutes: float = 60) -> PaymentRequest:
    return PaymentRequest(
        order_id="BOOKING-A1-BK7F3K2Q-1",
        amount=amount,
        purpose=purpose,
        channels=channels(PaymentMethod.DP, max(1, amount)),
        expires_at=NOW + timedelta(minutes=minutes),
    )


def body_of(asked: PaymentRequest, about: Booking) -> Any:
    return json.loads(json.dumps(snap_body(asked, about, now=NOW, finish_url="https://shop.example/paid")))


@given(LINES, st.integers(0, 5_000_000), st.integers(0, 100), st.sampled_from(RequestPurpose))
def test_the_items_always_add_up_to_the_amount_and_fit(
    lines: list[BookingLine], tax: int, paid_percent: int, purpose: RequestPurpose
) -> None:
    about = booking(lines, tax_amount=tax, down_payment_percent=30)
    about.paid_amount = percent_of(about.total_price, paid_percent) if purpose == RequestPurpose.BALANCE else 0
    amount = percent_of(about.total_price, 30) if purpose == RequestPurpose.DOWN_PAYMENT else about.remaining
    body = body_of(request(amount, purpose), about)
    items = body["item_details"]
    assert sum(item["price"] * item["quantity"] for item in items) == amount
    assert body["transaction_details"]["gross_amount"] == amount
    assert all(len(item["name"]) <= 50 and len(item["id"]) <= 50 for item in items)
    assert len(json.dumps(body)) <= 16_000


def line(name: str, total: int, quantity: int = 1) -> BookingLine:
    return BookingLine(part_id=name.lower(), name=name, quantity=quantity, price=total // quantity, total=total)


def test_items_have_quantities_and_deduct_payments() -> None:
    about = booking([line("Speaker", 1_530_000, 2), line("Pasang", 150_000)], paid_amount=604_000, going_back=100_000)
    items = body_of(request(1_176_000, RequestPurpose.BALANCE), about)["item_details"]
    assert [(item["name"], item["price"], item["quantity"]) for item in items] == [
        ("Speaker", 765_000, 2),
        ("Pasang", 150_000, 1),
        ("Sudah dibayar", -504_000, 1),
    ]


def test_a_down_payment_is_one_line() -> None:
    about = booking([line("Speaker", 1_000_000)], down_payment_percent=30)
    (item,) = body_of(request(300_000, RequestPurpose.DOWN_PAYMENT), about)["item_details"]
    assert (item["name"], item["price"]) == ("DP 30% booking BK-7F3K2Q", 300_000)


def test_a_changed_booking_is_one_line() -> None:
    about = booking([line("Speaker", 1_000_000)])
    (item,) = body_of(request(900_000), about)["item_details"]
    assert (item["name"], item["price"]) == ("Booking BK-7F3K2Q", 900_000)


def test_the_page_expires_with_the_hold() -> None:
    body = body_of(request(150_000, minutes=42.5), booking([line("Pasang", 150_000)]))
    assert body["expiry"] == {"start_time": "2026-11-23 08:00:30 +0700", "unit": "minutes", "duration": 42}
    assert body["page_expiry"] == {"unit": "minutes", "duration": 42}


def test_the_page_lasts_at_least_five_minutes() -> None:
    body = body_of(request(150_000, minutes=2), booking([line("Pasang", 150_000)]))
    assert body["page_expiry"] == {"unit": "minutes", "duration": 5}


def test_only_the_channels_of_the_method_are_enabled() -> None:
    asked = request(150_000)
    body = body_of(asked, booking([line("Pasang", 150_000)]))
    assert body["enabled_payments"] == asked.channels
    assert body["credit_card"] == {"secure": True}
    assert body["customer_details"] == {"first_name": "Sari", "phone": "+6281234567890"}
    assert body["callbacks"]["finish"] == "https://shop.example/paid"
