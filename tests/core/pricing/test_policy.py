"""The shop's terms in tables: until when a booking can be cancelled, and what the shop keeps. No database."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shops import make_shop

from core.booking.cancellation import CancellationTerms, terms_for
from core.db.tables import Booking
from core.pricing import policy
from core.refusals import InvalidTransition, Refusal, TooEarlyForNoShow, TooLateToCancel
from core.shop import Shop, StaffMember
from core.states import BookingStatus as Status

STARTS = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
"""Tuesday 10:00 in Jakarta."""
STEPWISE = {48: 25, 24: 50, 6: 100}
"""Less than two days before a quarter is kept, less than a day half, less than six hours all of the down payment."""


def before(*, seconds: int = 0, **left: int) -> datetime:
    """A moment this long before the start, plus `seconds`."""
    return STARTS - timedelta(**left) + timedelta(seconds=seconds)


MAY_CANCEL: list[tuple[Status, datetime, type[Refusal] | None, str]] = [
    (Status.CONFIRMED, before(days=3), None, "long before"),
    (Status.CONFIRMED, before(hours=2), None, "at the deadline to the second it is still theirs to cancel"),
    (Status.CONFIRMED, before(hours=2, seconds=1), TooLateToCancel, "a second after it the bay can't be filled again"),
    (Status.CONFIRMED, STARTS + timedelta(days=1), TooLateToCancel, "a past appointment is staff's to close"),
    (Status.PENDING, before(minutes=5), None, "what isn't confirmed binds nobody"),
    (Status.PENDING, STARTS + timedelta(hours=1), None, "not even afterwards"),
    (Status.IN_PROGRESS, before(days=3), InvalidTransition, "the car is on the lift"),
    (Status.COMPLETED, before(days=3), InvalidTransition, "the work is done"),
    (Status.CANCELLED, before(days=3), InvalidTransition, "once is enough"),
]


@pytest.mark.parametrize(("status", "now", "refusal", "reason"), MAY_CANCEL, ids=[row[3] for row in MAY_CANCEL])
def test_customers_cancel_until_the_shops_deadline(
    status: Status, now: datetime, refusal: type[Refusal] | None, reason: str, shop: Shop
) -> None:
    assert _refusal(lambda: policy.check_may_cancel(status, STARTS - now, shop)) is refusal, reason


@pytest.mark.parametrize(
    ("hours", "now", "allowed"),
    [
        (0, STARTS, True),  # no deadline: until it begins
        (0, STARTS + timedelta(seconds=1), False),
        (720, before(hours=720), True),
        (720, before(hours=720, seconds=1), False),
    ],
)
def test_the_deadline_is_the_owners(hours: int, now: datetime, allowed: bool) -> None:
    shop = make_shop(cancel_until_hours=hours, kept_percents={})
    refusal = _refusal(lambda: policy.check_may_cancel(Status.CONFIRMED, STARTS - now, shop))
    assert (refusal is None) == allowed


KEPT: list[tuple[int, int, int | None, datetime, int, str]] = [
    (1_000_000, 300_000, 30, before(days=5), 0, "before the first deadline nothing is kept"),
    (1_000_000, 300_000, 30, before(hours=48), 0, "at the first deadline to the second, neither"),
    (1_000_000, 300_000, 30, before(hours=48, seconds=1), 75_000, "a second after it, a quarter"),
    (1_000_000, 300_000, 30, before(hours=24), 75_000, "at the second one still a quarter"),
    (1_000_000, 300_000, 30, before(hours=24, seconds=1), 150_000, "after it half"),
    (1_000_000, 300_000, 30, before(hours=6, seconds=1), 300_000, "after the last all of it"),
    (1_000_000, 300_000, 30, STARTS + timedelta(days=3), 300_000, "and long after the start no more than that"),
    (1_000_000, 500_000, 50, before(hours=20), 250_000, "who paid more down has more at stake, as agreed"),
    (1_000_000, 1_000_000, None, before(hours=20), 150_000, "who paid in full loses as little as the lowest down payment"),
    (1_000_000, 1_000_000, 30, before(hours=20), 150_000, "the rest, paid meanwhile, comes back whole"),
    (1_000_000, 100_000, None, before(hours=20), 50_000, "of less than a down payment, a share of that"),
    (1_000_000, 0, 30, before(hours=20), 0, "of nothing, nothing"),
    (333_333, 100_000, 30, before(hours=20), 50_000, "the down payment of 99,999.9 was rounded up when it was asked for"),
    (99_999, 30_000, 30, before(hours=40), 7_500, "a quarter"),
    (99_995, 29_999, 30, before(hours=40), 7_499, "half a rupiah is the customer's"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("total", "paid", "percent", "now", "kept", "reason"), KEPT, ids=[f"{row[5]} ({row[0]})" for row in KEPT]
)
def test_late_cancelling_costs_part_of_the_down_payment(
    total: int, paid: int, percent: int | None, now: datetime, kept: int, reason: str
) -> None:
    shop = make_shop(kept_percents=STEPWISE, move_until_hours=48)
    assert policy.kept_when_cancelled(total, paid, percent, STARTS - now, shop) == kept, reason


def test_a_shop_that_takes_no_down_payments_keeps_nothing() -> None:
    shop = make_shop(down_payment_percents=())
    assert policy.kept_when_cancelled(1_000_000, 1_000_000, None, timedelta(0), shop) == 0
    assert policy.kept_for_no_show(1_000_000, 1_000_000, None, shop) == 0


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"])
@pytest.mark.parametrize("clock", ["Asia/Jakarta", "Asia/Makassar", "America/New_York"])
def test_deadlines_do_not_depend_on_the_time_zone(zone: str, clock: str) -> None:
    """New York's clocks went back between this deadline and the start."""
    shop = make_shop(timezone=zone, kept_percents={24: 50})
    starts = datetime(2026, 11, 1, 20, 0, tzinfo=UTC)
    for late, missed in ((timedelta(0), None), (timedelta(seconds=1), 24)):
        now = (starts - timedelta(hours=24) + late).astimezone(ZoneInfo(clock))
        assert policy.missed_deadline(starts - now, shop) == missed


@pytest.mark.parametrize(
    ("share", "paid", "percent", "kept"),
    [
        (100, 300_000, 30, 300_000),  # the whole down payment
        (100, 1_000_000, None, 300_000),  # paid in full: no more than the lowest down payment
        (60, 500_000, 50, 300_000),
        (100, 0, None, 0),  # cash on delivery
        (50, 0, 30, 0),
    ],
)
def test_a_no_show_costs_the_shops_share(share: int, paid: int, percent: int | None, kept: int) -> None:
    shop = make_shop(no_show_kept_percent=share)
    assert policy.kept_for_no_show(1_000_000, paid, percent, shop) == kept


NO_SHOW: list[tuple[Status, datetime, type[Refusal] | None, str]] = [
    (Status.CONFIRMED, STARTS, None, "its time has come"),
    (Status.CONFIRMED, STARTS + timedelta(days=2), None, "noted when somebody gets to it"),
    (Status.CONFIRMED, before(minutes=1), TooEarlyForNoShow, "they may be on the way"),
    (Status.PENDING, STARTS, InvalidTransition, "nobody was expected"),
    (Status.IN_PROGRESS, STARTS, InvalidTransition, "the car is here"),
    (Status.COMPLETED, STARTS, InvalidTransition, "it was here"),
    (Status.CANCELLED, STARTS, InvalidTransition, "it had been called off"),
]


@pytest.mark.parametrize(("status", "now", "refusal", "reason"), NO_SHOW, ids=[row[3] for row in NO_SHOW])
def test_when_a_no_show_can_be_recorded(
    status: Status, now: datetime, refusal: type[Refusal] | None, reason: str, shop: Shop
) -> None:
    assert _refusal(lambda: policy.check_no_show(status, STARTS, now, shop)) is refusal, reason


@pytest.mark.parametrize(
    ("tolerated", "no_shows", "percents", "offered"),
    [
        (1, 0, (30, 40, 50), (30, 40, 50)),
        (1, 1, (30, 40, 50), (30, 40, 50)),  # it happens to everybody once
        (1, 2, (30, 40, 50), (50,)),
        (0, 1, (30, 40), (40,)),  # a strict shop; its own highest
        (0, 9, (30,), (30,)),  # there is no higher one
        (0, 9, (), ()),  # in full anyway
    ],
)
def test_repeated_no_shows_leave_the_highest_down_payment(
    tolerated: int, no_shows: int, percents: tuple[int, ...], offered: tuple[int, ...]
) -> None:
    shop = make_shop(no_shows_tolerated=tolerated, down_payment_percents=percents)
    assert policy.down_payments(no_shows, shop) == offered


@pytest.mark.parametrize(
    ("role", "technician", "of", "may"),
    [
        ("admin", None, "andi", True),
        ("admin", None, None, True),
        ("technician", "andi", "andi", True),
        ("technician", "andi", "budi", False),
        ("technician", "andi", None, False),  # nobody's job is not theirs
        ("technician", None, None, False),  # nor is it for one who is nobody in the catalogue
    ],
)
def test_technicians_work_on_their_own_jobs(role: str, technician: str | None, of: str | None, may: bool) -> None:
    member = StaffMember.model_validate({"name": "Andi", "role": role, "technician": technician})
    assert policy.may_work_on(member, of) == may


@pytest.mark.parametrize(
    ("status", "by_customer", "expected"),
    [
        (Status.CONFIRMED, True, CancellationTerms(300_000, 150_000, 24)),
        (Status.CONFIRMED, False, CancellationTerms(300_000)),  # the shop's own doing costs the customer nothing
        (Status.PENDING, True, CancellationTerms(300_000)),  # paid too late, the place was gone
        (Status.IN_PROGRESS, False, CancellationTerms(300_000)),
    ],
)
def test_only_cancelling_a_confirmed_booking_costs(
    status: Status, by_customer: bool, expected: CancellationTerms, shop: Shop
) -> None:
    booking = Booking(status=status, starts_at=STARTS, total_price=1_000_000, down_payment_percent=30)
    assert terms_for(booking, 300_000, timedelta(hours=20), shop, by_customer=by_customer) == expected


@given(
    total=st.integers(0, 10**10),
    share=st.integers(0, 100),
    percent=st.sampled_from([None, 30, 33, 50]),
    kept=st.integers(0, 100),
    hours=st.integers(-100, 100),
    by_customer=st.booleans(),
)
def test_kept_and_back_add_up_to_what_was_paid(
    total: int, share: int, percent: int | None, kept: int, hours: int, by_customer: bool
) -> None:
    shop = make_shop(kept_percents={24: kept}, no_show_kept_percent=100)
    paid = total * share // 100
    booking = Booking(status=Status.CONFIRMED, starts_at=STARTS, total_price=total, down_payment_percent=percent)
    now = STARTS - timedelta(hours=hours)
    given_up = terms_for(booking, paid, STARTS - now, shop, by_customer=by_customer)
    stayed_away = CancellationTerms(paid, policy.kept_for_no_show(total, paid, percent, shop))
    for outcome in (given_up, stayed_away):
        assert outcome.kept + outcome.back == paid
        assert 0 <= outcome.kept <= paid
    assert given_up.kept <= stayed_away.kept  # staying away is never the cheaper way


def _refusal(check: object) -> type[Refusal] | None:
    assert callable(check)
    try:
        check()
    except Refusal as refusal:
        return type(refusal)
    return None
