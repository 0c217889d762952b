"""How late a customer says to be."""

import pytest

from conversations.understand.delay import read_minutes

SAID = [
    ("telat 30 menit, macet", 30),
    ("kayaknya telat sejam kak", 60),
    ("setengah jam lagi nyampe", 30),
    ("telat kira2 setengah jam", 30),
    ("1 jam setengah lagi", 90),
    ("tiga puluh menit lagi sampai", 30),
    ("seperempat jam lagi", 15),
    ("running 20 minutes late", 20),
    ("half an hour late", 30),
    ("otw kak", None),
    ("agak telat dikit", None),
    ("telat 9999 menit", None),
]


@pytest.mark.parametrize(("text", "minutes"), SAID)
def test_minutes_are_read(text: str, minutes: int | None) -> None:
    assert read_minutes(text) == minutes
