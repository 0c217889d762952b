"""What a payment method means at Midtrans, and what can't take an amount."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.payment.payment_methods import channels, offered_methods
from core.refusals import MethodCannotPay
from core.states import PaymentMethod as Method

ACCOUNTS = ["bca_va", "bni_va", "bri_va", "permata_va", "echannel", "other_va"]


@pytest.mark.parametrize(
    ("method", "amount", "expected"),
    [
        pytest.param(Method.TRANSFER, 150_000, ACCOUNTS, id="a transfer goes to a virtual account of any bank"),
        pytest.param(Method.VA, 150_000, ACCOUNTS, id="a virtual account is the same family"),
        pytest.param(Method.VA, 9_999, ACCOUNTS[1:], id="BCA takes nothing under 10.000"),
        pytest.param(Method.EWALLET, 150_000, ["gopay", "shopeepay", "dana", "ovo", "other_qris"], id="wallets"),
        pytest.param(Method.EWALLET, 10_000_001, ["gopay", "shopeepay", "dana", "ovo"], id="QRIS ends at 10 million"),
        pytest.param(Method.QRIS, 10_000_000, ["other_qris"], id="QRIS takes 10 million exactly"),
        pytest.param(Method.CARD, 10_000, ["credit_card"], id="a card takes 10.000 exactly"),
    ],
)
def test_a_method_means_the_channels_that_take_the_amount(method: Method, amount: int, expected: list[str]) -> None:
    assert channels(method, amount) == expected


@pytest.mark.parametrize(
    ("method", "amount"),
    [
        pytest.param(Method.QRIS, 10_000_001, id="too much for QRIS"),
        pytest.param(Method.CARD, 9_999, id="too little for a card"),
        pytest.param(Method.COD, 150_000, id="cash never goes through Midtrans"),
        pytest.param(Method.TRANSFER, 0, id="nothing can't be paid"),
    ],
)
def test_a_method_without_a_channel_is_refused(method: Method, amount: int) -> None:
    with pytest.raises(MethodCannotPay):
        channels(method, amount)


def test_cash_is_offered_for_services_alone() -> None:
    assert Method.COD in offered_methods(150_000, services_only=True)
    assert Method.COD not in offered_methods(150_000, services_only=False)


@given(amount=st.integers(1, 100_000_000), services_only=st.booleans())
def test_every_method_offered_can_pay(amount: int, services_only: bool) -> None:
    for method in offered_methods(amount, services_only=services_only):
        assert method is Method.COD or channels(method, amount)
