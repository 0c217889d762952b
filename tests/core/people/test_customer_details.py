"""What is kept of the details that a customer gives with a booking."""

from datetime import UTC, datetime

import pytest

from core.db.tables import Customer
from core.people import contacts

OLD, NEW = "+6281234567890", "+6281234567899"


def customer(phone: str | None, *, proven: bool = False) -> Customer:
    return Customer(
        name="Sari",
        phone=phone,
        phone_proven=proven,
        email="sari@old.example",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("known", "given", "kept"),
    [
        (customer(None), NEW, NEW),
        (customer(OLD), NEW, NEW),  # the newest counts
        (customer(OLD), "", OLD),  # no number given
        (customer(OLD, proven=True), NEW, OLD),  # the given one is only for this booking
    ],
)
def test_the_newest_phone_is_kept_until_one_is_proven(known: Customer, given: str, kept: str) -> None:
    contacts.update_details(known, name="Sari", phone=given, email=None)
    assert known.phone == kept


@pytest.mark.parametrize(("given", "kept"), [("sari@new.example", "sari@new.example"), (None, "sari@old.example")])
def test_name_and_email_are_the_newest_given(given: str | None, kept: str) -> None:
    known = customer(OLD)
    contacts.update_details(known, name="Sari Dewi", phone=OLD, email=given)
    assert (known.name, known.email) == ("Sari Dewi", kept)
