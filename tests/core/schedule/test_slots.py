"""When jobs can start, and which fit."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shops import make_shop

from core.messaging.messages import say
from core.refusals import InThePast, ShortNotice, TooFarAhead
from core.schedule import slots
from core.shop import Shop

TUESDAY = date(2026, 11, 24)
SUNDAY = date(2026, 11, 29)


@pytest.mark.parametrize(
    ("hours", "slot_minutes", "expected"),
    [
        ("09:00-17:00", 60, "09 10 11 12 13 14 15 16"),
        ("09:00-12:00", 90, "09:00 10:30"),
        ("09:00-16:30", 60, "09 10 11 12 13 14 15"),  # half a slot before closing starts no job
        ("09:00-09:45", 60, ""),  # no room for a slot at all
    ],
)
def test_the_grid_is_made_of_whole_slots(hours: str, slot_minutes: int, expected: str) -> None:
    shop = make_shop(opening_hours={"tuesday": hours}, slot_minutes=slot_minutes)
    starts = [f"{start:%H:%M}" for start in slots.starts(TUESDAY, shop)]
    assert starts == [clock if ":" in clock else f"{clock}:00" for clock in expected.split()]


def test_a_weekday_without_hours_has_no_slots(shop: Shop) -> None:
    assert slots.starts(SUNDAY, shop) == []


@pytest.mark.parametrize(
    ("day", "changes", "why"),
    [
        (TUESDAY, {}, None),
        (SUNDAY, {}, say("closed.weekday")),
        (date(2026, 12, 25), {}, say("closed.holiday", name="Hari Raya Natal")),
        (date(2026, 12, 25), {"open_on": ["2026-12-25"]}, None),
        (date(2026, 12, 25), {"closed_on_public_holidays": False}, None),
        (date(2026, 11, 26), {}, say("closed.closure", reason="Outing")),
        # A closure is the shop's word of today; it stands though a holiday is worked on.
        (date(2027, 1, 1), {"open_on": ["2027-01-01"]}, say("closed.closure", reason="Tahun baru")),
    ],
)
def test_a_day_says_why_it_is_closed(day: date, changes: dict[str, object], why: object) -> None:
    closures = {date(2026, 11, 26): "Outing", date(2027, 1, 1): "Tahun baru"}
    assert slots.why_closed(day, make_shop(**changes), closures) == why


def test_holidays_are_named_in_the_customers_language(shop: Shop) -> None:
    assert slots.why_closed(date(2026, 12, 25), shop, {}, language="en") == say("closed.holiday", name="Christmas Day")


@pytest.mark.parametrize(
    ("clock", "minutes", "fits"),
    [
        ("09:00", 60, True),
        ("09:00", 30, True),
        ("15:00", 120, True),  # ends at closing
        ("15:00", 121, False),  # ends a minute after
        ("09:00", 480, True),  # the whole day
        ("08:00", 60, False),
        ("09:30", 60, False),  # no slot starts then
        ("17:00", 60, False),
    ],
)
def test_a_job_fits_between_a_slots_start_and_closing(shop: Shop, clock: str, minutes: int, fits: bool) -> None:
    start = datetime.fromisoformat(f"2026-11-24T{clock}+07:00").astimezone(UTC)
    assert slots.fits(start, minutes, shop) is fits


def test_a_job_may_end_in_the_half_slot_before_closing() -> None:
    shop = make_shop(opening_hours={"tuesday": "09:00-16:30"})
    assert slots.fits(shop.at(TUESDAY, time(9)), 450, shop)


def test_a_job_takes_its_minutes_and_parts_alone_take_a_slot(shop: Shop) -> None:
    start = shop.at(TUESDAY, time(9))
    assert slots.ends_at(start, 90, shop) == shop.at(TUESDAY, time(10, 30))
    assert slots.ends_at(start, 0, shop) == shop.at(TUESDAY, time(10))


@pytest.mark.parametrize(
    ("start", "refusal"),
    [
        ("2026-11-23T09:00+07:00", None),  # exactly the notice of an hour
        ("2026-11-23T08:59+07:00", ShortNotice),
        ("2026-11-23T08:00+07:00", InThePast),  # just now
        ("2026-11-22T09:00+07:00", InThePast),
        ("2027-01-22T09:00+07:00", None),  # 60 days
        ("2027-01-23T09:00+07:00", TooFarAhead),
        ("2027-01-22T18:00+00:00", TooFarAhead),  # still the 22nd in UTC, the 23rd at the shop
    ],
)
def test_a_start_is_neither_too_near_nor_too_far(
    shop: Shop, now: datetime, start: str, refusal: type[Exception] | None
) -> None:
    moment = datetime.fromisoformat(start)
    if refusal is None:
        slots.check_start(moment, now, shop)
        slots.check_notice(moment, now, shop)
    else:
        with pytest.raises(refusal):
            slots.check_start(moment, now, shop)
            slots.check_notice(moment, now, shop)


def test_eastern_shops_count_their_own_days() -> None:
    jayapura = make_shop(timezone="Asia/Jayapura")
    assert slots.starts(TUESDAY, jayapura)[0] == datetime(2026, 11, 24, 0, 0, tzinfo=UTC)


@given(
    slot_minutes=st.sampled_from([15, 20, 30, 45, 60, 90, 120]),
    closes=st.integers(min_value=10 * 60, max_value=23 * 60),
    minutes=st.integers(min_value=1, max_value=900),
)
def test_a_job_that_fits_ends_by_closing(slot_minutes: int, closes: int, minutes: int) -> None:
    hours = f"09:00-{closes // 60:02}:{closes % 60:02}"
    shop = make_shop(opening_hours={"tuesday": hours}, slot_minutes=slot_minutes)
    closing = shop.at(TUESDAY, time(closes // 60, closes % 60))
    for start in slots.starts(TUESDAY, shop):
        assert slots.fits(start, minutes, shop) == (start + timedelta(minutes=minutes) <= closing)
