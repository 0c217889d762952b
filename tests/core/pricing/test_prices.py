"""What a booking costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shops import make_shop

from core.pricing import prices
from core.pricing.prices import Line
from core.refusals import BadDownPayment
from core.shop import Shop
from core.states import Location

SPEAKER = Line(kind="part", id="sp", name="Speaker", price=850_000, discount=10, quantity=2, warranty_months=12)
ADAPTER = Line(kind="part", id="ring", name="Ring adaptor", price=75_000)
INSTALL = Line(kind="service", id="pasang", name="Pasang", price=150_000, minutes=60)
TUNE = Line(kind="service", id="dsp", name="Setting DSP", price=500_000, discount=25, minutes=120, skill="dsp")


def test_a_quote_adds_up(shop: Shop) -> None:
    quote = prices.quote([SPEAKER, ADAPTER, INSTALL, TUNE], location=Location.WORKSHOP, shop=shop)
    assert [line.total for line in quote.lines] == [1_530_000, 75_000, 150_000, 375_000]
    assert (quote.subtotal_parts, quote.subtotal_services, quote.total) == (1_605_000, 525_000, 2_130_000)
    assert (quote.savings, quote.minutes, quote.skills) == (295_000, 180, {"dsp"})
    assert (quote.onsite_fee, quote.tax_base, quote.tax_amount) == (0, 0, 0)


def test_onsite_adds_the_fee_and_travel_time(shop: Shop) -> None:
    quote = prices.quote([INSTALL], location=Location.ONSITE, shop=shop)
    assert (quote.onsite_fee, quote.minutes, quote.total) == (150_000, 120, 300_000)


@pytest.mark.parametrize(
    ("lines", "minutes"),
    [
        ([ADAPTER], 60),  # handing parts over takes a slot too
        ([Line(kind="service", id="cek", name="Cek", price=0, minutes=30)], 60),
        ([INSTALL, Line(kind="service", id="cek", name="Cek", price=0, minutes=30)], 90),
    ],
)
def test_a_booking_takes_at_least_a_slot(shop: Shop, lines: list[Line], minutes: int) -> None:
    assert prices.quote(lines, location=Location.WORKSHOP, shop=shop).minutes == minutes


@pytest.mark.parametrize(
    ("price", "tax_base", "tax"),
    [
        (1_200_000, 1_100_000, 132_000),  # the regulation's own example
        (0, 0, 0),
        (1, 1, 0),
        (100, 92, 11),  # 91.67 and 11.04
        (999_999, 916_666, 110_000),  # 916,665.75 and 109,999.92
    ],
)
def test_ppn_is_twelve_percent_of_eleven_twelfths(price: int, tax_base: int, tax: int) -> None:
    assert prices.ppn(price) == (tax_base, tax)


def test_ppn_comes_on_top_and_covers_the_fee() -> None:
    line = Line(kind="service", id="s", name="Paket", price=1_050_000)
    quote = prices.quote([line], location=Location.ONSITE, shop=make_shop(charge_ppn=True))
    assert (quote.tax_base, quote.tax_amount, quote.total) == (1_100_000, 132_000, 1_332_000)


@pytest.mark.parametrize(
    ("total", "percent", "amount"),
    [
        (1_000_000, 30, 300_000),
        (999_999, 30, 300_000),  # 299,999.70 rounds up
        (1, 30, 1),
        (0, 50, 0),
    ],
)
def test_a_down_payment_rounds_up_to_the_rupiah(total: int, percent: int, amount: int) -> None:
    assert prices.down_payment(total, percent) == amount


@pytest.mark.parametrize("percent", [-1, 0, 29, 51, 100])
def test_a_down_payment_keeps_the_shops_bounds(shop: Shop, percent: int) -> None:
    with pytest.raises(BadDownPayment) as refusal:
        prices.check_down_payment(percent, shop)
    assert refusal.value.params == {"least": 30, "most": 50}


def test_a_shop_may_take_no_down_payments() -> None:
    with pytest.raises(BadDownPayment):
        prices.check_down_payment(30, make_shop(down_payment_percents=()))


LINES = st.lists(
    st.builds(
        Line,
        kind=st.sampled_from(["part", "service"]),
        id=st.just("x"),
        name=st.just("x"),
        price=st.integers(0, 10**10),
        discount=st.integers(0, 100),
        quantity=st.integers(1, 20),
        minutes=st.integers(0, 600),
    )
)


@given(lines=LINES, location=st.sampled_from(Location), ppn=st.booleans(), percent=st.integers(30, 50))
def test_no_rupiah_is_lost_or_made(lines: list[Line], location: Location, ppn: bool, percent: int) -> None:
    quote = prices.quote(lines, location=location, shop=make_shop(charge_ppn=ppn))
    listed = sum(line.quantity * line.price for line in lines)
    assert quote.total == sum(line.total for line in lines) + quote.onsite_fee + quote.tax_amount
    assert sum(line.total for line in lines) + quote.savings == listed
    assert min(quote.savings, quote.total, *(line.total for line in lines), quote.tax_amount) >= 0
    assert 0 <= prices.down_payment(quote.total, percent) <= quote.total
    assert abs(quote.tax_amount * 100 - (quote.total - quote.tax_amount) * 11 * ppn) <= 100
