"""The demo workshop's settings, and the time at which the tests begin."""

from datetime import UTC, datetime
from typing import Any

from core.shop import Shop

MONDAY_8_AM = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""Monday 2026-11-23, 08:00 in Jakarta."""


def make_shop(**changes: Any) -> Shop:
    settings: dict[str, Any] = {
        "name": "Bengkel Suara Jaya",
        "address": "Jl. Raya Fatmawati No. 21",
        "city": "Jakarta Selatan",
        "contact": "+62217654321",
        "email": "halo@suarajaya.example",
        "latitude": -6.2922,
        "longitude": 106.7972,
        "opening_hours": dict.fromkeys(
            ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday"), "09:00-17:00"
        ),
        "staff": [{"name": "Ibu Rina", "role": "admin", "telegram": 7000000001}],
    }
    return Shop.model_validate(settings | changes)
