"""On-site jobs over REST: refused outside the service area, except when an admin books."""

import pytest
from asking import Web, wish
from shops import make_shop
from workshop import INSTALL

from core.shop import Shop

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def shop() -> Shop:
    return make_shop(onsite_districts=["Tebet", "Kemang"])


def _at(address: str) -> dict[str, object]:
    away = {"serviceLocation": "onsite", "onsiteAddress": address, "services": [{"serviceId": INSTALL}]}
    return wish(**away)


async def test_an_address_elsewhere_is_refused_with_the_workshop_instead(web: Web) -> None:
    status, body = await web.sari.post("/api/bookings", _at("Jl. Braga 1, Bandung"))
    assert (status, body["code"]) == (409, "outside_districts")
    assert "Tebet, Kemang" in body["message"]
    assert "Jl. Raya Fatmawati No. 21" in body["message"]


async def test_an_address_in_a_listed_district_is_booked(web: Web) -> None:
    status, _ = await web.sari.post("/api/bookings", _at("Jl. Tebet Timur Dalam 12"))
    assert status == 201


async def test_an_admin_books_anywhere(web: Web) -> None:
    status, _ = await web.rina.post("/api/bookings", _at("Jl. Braga 1, Bandung"))
    assert status == 201
