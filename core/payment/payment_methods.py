"""The Midtrans channels (`enabled_payments`) of each payment method, and the amounts that they accept."""

from core.money import Money
from core.refusals import MethodCannotPay
from core.states import PaymentMethod

_VIRTUAL_ACCOUNTS = ("bca_va", "bni_va", "bri_va", "permata_va", "echannel", "other_va")
_WALLETS = ("gopay", "shopeepay", "dana", "ovo", "other_qris")  # OVO is often paid by scanning a QRIS code
_EVERY = (*_VIRTUAL_ACCOUNTS, *_WALLETS, "credit_card", "indomaret", "alfamart")

_CHANNELS: dict[PaymentMethod, tuple[str, ...]] = {
    PaymentMethod.TRANSFER: _VIRTUAL_ACCOUNTS,
    PaymentMethod.VA: _VIRTUAL_ACCOUNTS,
    PaymentMethod.EWALLET: _WALLETS,
    PaymentMethod.QRIS: ("other_qris",),
    PaymentMethod.CARD: ("credit_card",),
    PaymentMethod.COD: (),
    PaymentMethod.DP: _EVERY,
    PaymentMethod.ANY: _EVERY,
}
_REFUNDABLE = frozenset({"credit_card", "gopay", "shopeepay", "qris", "dana", "ovo"})
_LEAST: dict[str, Money] = {"credit_card": 10_000, "bca_va": 10_000, "indomaret": 10_000}
_MOST: dict[str, Money] = {"other_qris": 10_000_000, "indomaret": 5_000_000}


def channels(method: PaymentMethod, amount: Money) -> list[str]:
    """The channels of a method that accept the amount; raises `MethodCannotPay` when none does."""
    able = [channel for channel in _CHANNELS[method] if _takes(channel, amount)]
    if not able:
        raise MethodCannotPay(amount=amount)
    return able


def offered_methods(amount: Money, *, services_only: bool) -> list[PaymentMethod]:
    """The methods to offer for an amount, in the order to show them; cash only for services without parts."""
    methods: list[PaymentMethod] = [
        method
        for method in _CHANNELS
        if method not in (PaymentMethod.DP, PaymentMethod.ANY)
        and any(_takes(channel, amount) for channel in _CHANNELS[method])
    ]
    return [*methods, PaymentMethod.COD] if services_only else methods


def can_refund(payment_type: str) -> bool:
    """Whether Midtrans refunds payments of this payment_type; staff transfers the others by hand.

    Source: https://docs.midtrans.com/reference/refund-transaction
    """
    return payment_type in _REFUNDABLE


def _takes(channel: str, amount: Money) -> bool:
    return _LEAST.get(channel, 1) <= amount <= _MOST.get(channel, amount)
