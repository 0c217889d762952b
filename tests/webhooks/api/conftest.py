"""The API on both databases, with a furnished workshop."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from asking import Issuer, Web, opened
from cryptography.hazmat.primitives.asymmetric import rsa
from workshop import ANDI, BUDI, furnish

from core.db.database import Database
from core.shop import Shop, StaffMember


@pytest.fixture(scope="session")
def rsa_keys() -> list[rsa.RSAPrivateKey]:
    """Two keys, cached because making them is slow."""
    return [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]


@pytest.fixture
def issuer(now: datetime, rsa_keys: list[rsa.RSAPrivateKey]) -> Issuer:
    return Issuer(now, {"key-1": rsa_keys[0]})


@pytest.fixture
def staffed(shop: Shop) -> Shop:
    staff = (
        StaffMember(name="Ibu Rina", role="admin", clerk="user_rina"),
        StaffMember(name="Andi", role="technician", technician=ANDI, clerk="user_andi"),
        StaffMember(name="Budi", role="technician", technician=BUDI, clerk="user_budi"),
    )
    return shop.model_copy(update={"staff": staff, "max_unpaid_bookings": 50})


@pytest.fixture
def settings() -> dict[str, Any]:
    """Overrides for the API's settings."""
    return {}


@pytest.fixture
async def web(
    database: Database, staffed: Shop, issuer: Issuer, tmp_path: Path, settings: dict[str, Any]
) -> AsyncIterator[Web]:
    await furnish(database, issuer.now, customers=0)
    async with opened(database, staffed, issuer, tmp_path, **settings) as web:
        yield web
