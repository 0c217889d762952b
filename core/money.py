"""Rupiah: whole numbers, no floats. Percentages round half up to the rupiah."""

Money = int


def percent_of(amount: Money, percent: int) -> Money:
    """A percentage of an amount, rounded half up."""
    return (amount * percent + 50) // 100


def discounted(price: Money, discount: int) -> Money:
    """A price less a discount in percent (0 to 100)."""
    return price - percent_of(price, discount)
