"""Days and times as people say them, read on Monday 2026-11-23 at 08:00; the shop opens from 09:00 to 17:00."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import make_shop

from conversations.understand.clock import PartOfDay
from conversations.understand.when import When, read_when
from core.shop import Shop

TODAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = (date(2026, 11, day) for day in range(23, 30))
NEXT_MONDAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("hari ini", TODAY),
        ("bsk", TUESDAY),
        ("besok lusa", WEDNESDAY),
        ("the day after tomorrow", WEDNESDAY),
        ("3 hari lg", THURSDAY),
        ("tiga hari lagi", THURSDAY),
        ("in two days", WEDNESDAY),
        ("senin", NEXT_MONDAY),  # said on a Monday, it is the next one
        ("minggu", SUNDAY),
        ("hari minggu", SUNDAY),
        ("sabtu ini", SATURDAY),
        ("this friday", FRIDAY),
        ("selasa minggu depan", date(2026, 12, 1)),
        ("minggu depan hari selasa", date(2026, 12, 1)),
        ("next week tuesday", date(2026, 12, 1)),
        ("2 minggu lagi", date(2026, 12, 7)),
        ("2 minggu lagi hari sabtu", date(2026, 12, 12)),
        ("a week from now", NEXT_MONDAY),
        ("tgl 23", TODAY),  # the next such day is today
        ("tgl 22", date(2026, 12, 22)),
        ("tgl 31", date(2026, 12, 31)),  # November has none
        ("the 28th", SATURDAY),
        ("tgl 5 bulan depan", date(2026, 12, 5)),
        ("5 des", date(2026, 12, 5)),
        ("tgl 5 bulan 12", date(2026, 12, 5)),
        ("december 5th", date(2026, 12, 5)),
        ("the 5th of december", date(2026, 12, 5)),
        ("3 januari", date(2027, 1, 3)),
        ("5/12", date(2026, 12, 5)),  # the day comes first
        ("05-12-2026", date(2026, 12, 5)),
        ("5.12.26", date(2026, 12, 5)),
        ("2026-12-05", date(2026, 12, 5)),
        ("1/1", date(2027, 1, 1)),  # gone this year, and near in the next
        ("20/11", date(2026, 11, 20)),  # three days ago: as said, so that it can be refused kindly
        ("1 januari 2025", date(2025, 1, 1)),  # a year that was said stays
        ("29 februari 2028", date(2028, 2, 29)),
        ("dari rabu ke jumat", FRIDAY),
        ("jangan besok, lusa aja", WEDNESDAY),
        ("bisa ga besok", TUESDAY),
        ("jumat tgl 27 november", FRIDAY),
    ],
)
def test_a_day_is_read(text: str, day: date, now: datetime, shop: Shop) -> None:
    when = read_when(text, now, shop)

    assert when is not None
    assert (when.day, when.ambiguous) == (day, False)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("jumat depan", date(2026, 12, 4)),  # next week's, but some mean the coming one
        ("next friday", date(2026, 12, 4)),
        ("besok atau lusa", TUESDAY),
        ("besok sabtu", SATURDAY),  # "besok" is the coming one here; tomorrow is Tuesday
        ("kamis tgl 27 november", FRIDAY),  # the 27th is a Friday
    ],
)
def test_ambiguous_day_is_marked(text: str, day: date, now: datetime, shop: Shop) -> None:
    when = read_when(text, now, shop)

    assert when is not None
    assert (when.day, when.ambiguous) == (day, True)


@pytest.mark.parametrize(("opens_on_sunday", "ambiguous"), [(False, False), (True, True)])
def test_weekend_is_ambiguous_if_both_days_are_open(
    opens_on_sunday: bool, ambiguous: bool, now: datetime, shop: Shop
) -> None:
    hours = shop.opening_hours | ({"sunday": "10:00-15:00"} if opens_on_sunday else {})

    assert read_when("weekend bisa?", now, make_shop(opening_hours=hours)) == When(SATURDAY, ambiguous=ambiguous)


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("jam 9", time(9)),
        ("jam 1", time(13)),  # 01:00 is further from the opening hours
        ("jam 4", time(16)),
        ("jam 5", time(17)),
        ("jam 8", time(8)),  # before opening, but nearer than 20:00
        ("jam 12", time(12)),
        ("jm 1 siang", time(13)),
        ("jam 11 siang", time(11)),
        ("jam 6 sore", time(18)),
        ("jam 7 malam", time(19)),
        ("jam 12 malam", time(0)),
        ("jam 1 malam", time(1)),
        ("pagi jam 10", time(10)),
        ("jam setengah 3", time(14, 30)),
        ("set 3", time(14, 30)),
        ("1/2 3", time(14, 30)),
        ("setengah tiga sore", time(14, 30)),
        ("jam setengah 1", time(12, 30)),
        ("jam 9 lewat 15", time(9, 15)),
        ("jam 9 lewat seperempat", time(9, 15)),
        ("jam 10 kurang 10 menit", time(9, 50)),
        ("sepuluh kurang seperempat", time(9, 45)),
        ("13.30", time(13, 30)),
        ("14:00 WIB", time(14)),
        ("pukul 15.30", time(15, 30)),
        ("jam 02.00", time(14)),
        ("2 pm", time(14)),
        ("2:30 p.m.", time(14, 30)),
        ("10am", time(10)),
        ("12 am", time(0)),
        ("half past ten", time(10, 30)),
        ("quarter to three", time(14, 45)),
        ("10 o'clock", time(10)),
        ("at noon", time(12)),
        ("jam 10an", time(10)),
        ("sekitar jam dua", time(14)),
        ("jam 10-12", time(10)),
        ("dari jam 10 jadi jam 2", time(14)),
    ],
)
def test_a_time_is_read(text: str, clock: time, now: datetime, shop: Shop) -> None:
    assert read_when(text, now, shop) == When(time=clock)


def test_bare_hour_follows_the_opening_hours(now: datetime, shop: Shop) -> None:
    evenings = make_shop(opening_hours=shop.opening_hours | {"saturday": "16:00-22:00"})

    assert read_when("sabtu jam 9", now, evenings) == When(SATURDAY, time(21))
    assert read_when("jumat jam 9", now, evenings) == When(FRIDAY, time(9))


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("besok siang", When(TUESDAY, part_of_day=PartOfDay.NOON)),
        ("nanti sore", When(TODAY, part_of_day=PartOfDay.AFTERNOON, faint=True)),
        ("sore ini", When(TODAY, part_of_day=PartOfDay.AFTERNOON)),
        ("this afternoon", When(TODAY, part_of_day=PartOfDay.AFTERNOON)),
        ("tonight", When(TODAY, part_of_day=PartOfDay.EVENING)),
        ("pagian", When(part_of_day=PartOfDay.MORNING)),
        ("sore2", When(part_of_day=PartOfDay.AFTERNOON)),
        ("abis maghrib", When(part_of_day=PartOfDay.EVENING)),
        ("abis jumatan", When(time=time(13))),
        ("malam minggu", When(SATURDAY, part_of_day=PartOfDay.EVENING)),
        ("malam jumat jam 7", When(THURSDAY, time(19))),
        ("minggu malam", When(SUNDAY, part_of_day=PartOfDay.EVENING)),
        ("besok jam 1/2 3", When(TUESDAY, time(14, 30))),
        ("jumat ga bisa, sabtu jam 10", When(SATURDAY, time(10))),
        ("2 jam lagi", When(TODAY, time(10))),
        ("besok 10", When(TUESDAY, time(10))),
        ("besok 10 orang", When(TUESDAY)),
        ("tadi pagi saya telpon, besok jam 9 bisa?", When(TUESDAY, time(9))),
    ],
)
def test_day_and_time_are_read_together(text: str, when: When, now: datetime, shop: Shop) -> None:
    assert read_when(text, now, shop) == when


@pytest.mark.parametrize(
    "text",
    [
        "jam 25",
        "jam 10.75",
        "tgl 31 feb",
        "tgl 32",
        "30/02",
        "29 februari 2027",
        "13/13",
        "0/12",
        "999999999 hari lagi",
        "jangan besok",
        "minggu depan",  # a week, no day
        "tanggal muda",
        "tanggal merah",
        "kemarin jam 10",
        "sabtu lalu",
        "2 minggu",
        "setengah jam",
        "350rb",
        "1,2jt",
        "Rp 1.200.000",
        "9 inch",
        "6.5",
        "6x9",
        "4 channel",
        "24/7",
        "senin sampai jumat",
        "tiap sabtu",
        "2018",
        "10",
        "",
    ],
)
def test_other_numbers_are_not_read_as_dates(text: str, now: datetime, shop: Shop) -> None:
    assert read_when(text, now, shop) is None


def test_impossible_day_keeps_the_time(now: datetime, shop: Shop) -> None:
    assert read_when("besok jam 25", now, shop) == When(TUESDAY)
    assert read_when("30/02 jam 10", now, shop) == When(time=time(10))


def test_today_is_in_the_workshops_zone(shop: Shop) -> None:
    late = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)  # Tuesday 01:00 in Jakarta

    assert read_when("besok", late, shop) == When(WEDNESDAY)


@settings(deadline=None)
@given(day=st.dates(date(2026, 11, 23), date(2027, 11, 22)))
def test_written_date_is_read_back(day: date) -> None:
    moment = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)

    for text in (f"{day:%d-%m-%Y}", f"{day:%d/%m/%Y}", f"tgl {day.day}/{day.month}/{day.year}", f"{day:%Y-%m-%d}"):
        assert read_when(text, moment, make_shop()) == When(day)


@settings(deadline=None)
@given(clock=st.times().map(lambda clock: clock.replace(second=0, microsecond=0)))
def test_written_time_is_read_back(clock: time) -> None:
    moment = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    read = read_when(f"jam {clock:%H.%M}", moment, make_shop())

    assert read is not None
    assert read.time is not None
    assert (read.time.hour % 12, read.time.minute) == (clock.hour % 12, clock.minute)
    if time(9) <= clock <= time(17):
        assert read.time == clock
