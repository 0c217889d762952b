"""The examples that customers are shown name a time at which the shop is open."""

from datetime import UTC, datetime, timedelta

import pytest
from shops import make_shop
from talk import Talk

from bot.sandbox import demo
from conversations import example
from conversations.texts import render
from core.db.database import Database
from core.shop import Shop


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=make_shop().zone)


@pytest.mark.parametrize(
    ("now", "id_", "en"),
    [
        ("2026-11-23T08:00", "besok jam 10", "tomorrow at 10"),
        ("2026-11-28T11:00", "Senin jam 10", "on Monday at 10"),  # Saturday; closed on Sunday
        ("2026-12-24T20:00", "Sabtu jam 10", "on Saturday at 10"),  # Christmas is on Friday
        ("2026-11-22T23:59", "besok jam 10", "tomorrow at 10"),
    ],
)
def test_the_day_is_said_as_a_person_would(now: str, id_: str, en: str) -> None:
    visit = example.visit(make_shop(), _at(now))
    assert (render(visit, "id"), render(visit, "en")) == (id_, en)


def test_the_hour_lies_within_the_hours() -> None:
    evenings = make_shop(opening_hours=dict.fromkeys(("wednesday", "thursday"), "16:00-21:00"))
    assert render(example.visit(evenings, _at("2026-11-23T08:00")), "id") == "Rabu jam 16"


def test_a_day_far_away_is_a_date() -> None:
    holidays = make_shop(opening_hours={"friday": "09:00-17:00"})
    assert render(example.visit(holidays, _at("2026-12-18T18:00")), "id") == "tanggal 8 Januari jam 10"


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
@pytest.mark.parametrize("days", range(7))
async def test_the_menus_example_can_be_booked(stocked: Database, shop: Shop, channel: str, days: int) -> None:
    now = datetime(2026, 11, 23, 3, 0, tzinfo=UTC) + timedelta(days=days)
    sari = Talk(stocked, shop, channel, now)
    await sari.type("menu")
    line = sari.screen.partition('"')[2].partition('"')[0]
    assert line.startswith("mau pasang speaker di Avanza 2018")
    await sari.type(line)
    assert "10:00 ✓" in sari.screen
    assert "tutup" not in sari.screen


def test_the_demo_page_offers_the_same_line() -> None:
    assert demo.sample().startswith("mau pasang speaker di avanza 2018 ")
