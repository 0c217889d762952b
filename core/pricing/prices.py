"""What a booking costs: frozen lines, the on-site fee, and PPN on top. Pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.money import Money, discounted, percent_of
from core.refusals import BadDownPayment
from core.shop import Shop
from core.states import Location

PPN_PERCENT = 12
"""On 11/12 of the price for ordinary goods and services since 2025 (PMK 131/2024)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A quantity of one part or service at its present price; an adapter is a part like any other."""

    kind: Literal["part", "service"]
    id: str
    name: str
    price: Money
    discount: int = 0
    quantity: int = 1
    minutes: int = 0
    """Of all of them together."""
    warranty_months: int = 0
    skill: str | None = None
    """What the technician must be able to do."""

    @property
    def total(self) -> Money:
        return self.quantity * discounted(self.price, self.discount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A price with its lines, and how long the job takes (travel included, at least one slot)."""

    lines: tuple[Line, ...]
    onsite_fee: Money
    tax_base: Money
    tax_amount: Money
    minutes: int

    @property
    def subtotal_parts(self) -> Money:
        return sum(line.total for line in self.lines if line.kind == "part")

    @property
    def subtotal_services(self) -> Money:
        return sum(line.total for line in self.lines if line.kind == "service")

    @property
    def total(self) -> Money:
        """What the customer pays, PPN included."""
        return self.subtotal_parts + self.subtotal_services + self.onsite_fee + self.tax_amount

    @property
    def savings(self) -> Money:
        return sum(line.quantity * line.price - line.total for line in self.lines)

    @property
    def skills(self) -> frozenset[str]:
        return frozenset(line.skill for line in self.lines if line.skill)


def quote(lines: Sequence[Line], *, location: Location, shop: Shop) -> Quote:
    onsite = location is Location.ONSITE
    fee = shop.onsite_fee if onsite else 0
    travel = shop.onsite_travel_minutes if onsite else 0
    tax_base, tax_amount = ppn(sum(line.total for line in lines) + fee) if shop.charge_ppn else (0, 0)
    return Quote(
        lines=tuple(lines),
        onsite_fee=fee,
        tax_base=tax_base,
        tax_amount=tax_amount,
        minutes=max(sum(line.minutes for line in lines) + travel, shop.slot_minutes),
    )


def ppn(price: Money) -> tuple[Money, Money]:
    """The tax base (DPP, 11/12 of the price) and the PPN on it: Rp1.200.000 gives 1.100.000 and 132.000."""
    tax_base = (price * 11 + 6) // 12
    return tax_base, percent_of(tax_base, PPN_PERCENT)


def down_payment(total: Money, percent: int) -> Money:
    """The given part of a total, rounded up to a whole rupiah."""
    return -(-total * percent // 100)


def check_down_payment(percent: int, shop: Shop) -> None:
    """Raise `BadDownPayment` unless the shop takes a down payment of that percentage."""
    least, most = min(shop.down_payment_percents, default=100), max(shop.down_payment_percents, default=100)
    if not least <= percent <= most:
        raise BadDownPayment(least=least, most=most)
