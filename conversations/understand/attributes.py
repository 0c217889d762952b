"""What a line says of a part instead of its name: size, type, channels, watts, price, cheapest or best.

"power 4 channel dibawah 2jt"  →  channels 4 · price_max 2,000,000
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from conversations.understand.cues import find
from conversations.understand.numbers import figure_end, is_size, unit_end, with_digits
from conversations.understand.said import Said
from conversations.understand.spelling import Line, matches, number_at, runs, span, table, text_at
from core.catalogue.attributes import PartType, Rank, inches
from core.money import Money

TABLE = "attributes.yaml"
MOST_INCHES = 20
LEAST_PRICE = 10_000
"""Rupiah; a smaller number without a unit is no price."""


def attributes_in(line: Line, typed: Line) -> list[Said]:
    """What is said of parts, by fields of `Attributes`; `typed` is the line before names were replaced by tags."""
    return [*_types(typed), *_figures(with_digits(typed)), *_orders(line)]


def _types(typed: Line) -> Iterator[Said]:
    at = 0
    while at < len(typed):
        found = [(end, types[key]) for end, *keys in runs(typed, at, 3) for key in keys if key in (types := _by_key())]
        if found:
            end, kind = found[-1]
            yield Said("attributes.type", PartType(kind), span(typed, at, end))
            at = end
        at += not found


def _figures(line: Line) -> Iterator[Said]:
    at = 0
    while at < len(line):
        start = at + matches(line, at, {"rp", "idr"})
        end = figure_end(line, start + matches(line, start, "."))
        if end is None:
            at += 1
            continue
        for slot, value, until in _meaning(line, at, start, end):
            yield Said(f"attributes.{slot}", value, span(line, at, until))
        at = unit_end(line, end)


def _meaning(line: Line, at: int, start: int, end: int) -> Iterator[tuple[str, Any, int]]:
    """What the figure between two places says: a slot, its value, and where it ends."""
    figure, unit = "".join(token.text for token in line[start:end]), text_at(line, end)
    if unit in _words("channels"):
        if figure.isdecimal():
            yield "channels", int(figure), end + 1
    elif unit in _words("watts"):
        if figure.isdecimal():
            yield "watts", int(figure), end + 1
    elif unit in _words("inch") and (size := inches(figure)):
        yield "size", size, end + 1
    elif (
        unit not in _words("millions") | _words("thousands")
        and is_size(line, start, end)
        and (size := _bare_size(figure))
    ):
        yield "size", size, end
    else:
        yield from _prices(line, at, figure, end)


def _bare_size(figure: str) -> str | None:
    """A size without "inch": 6x9, 6.5; not 350.000."""
    size = inches(figure)
    return size if size and all(float(side) <= MOST_INCHES for side in size.split("x")) else None


def _prices(line: Line, at: int, figure: str, end: int) -> Iterator[tuple[str, Any, int]]:
    until = unit_end(line, end)
    low, high = _rupiah(figure, text_at(line, end))
    if high is None:
        return
    if low is not None:
        yield "price_min", low, until
        yield "price_max", high, until
    elif bound := _bound(line, at, until):
        yield f"price_{bound}", high, until
    elif line[until - 1].raw.endswith("an") or text_at(line, until) in _words("about"):
        yield "price_max", _at_most_about(high), until


def _at_most_about(price: Money) -> Money:
    """What "2 jutaan" goes up to: 2,999,999."""
    digits = len(str(price)) - len(str(price).rstrip("0"))
    return price + int(10**digits) - 1


def _rupiah(figure: str, unit: str) -> tuple[Money | None, Money | None]:
    """The bounds that an amount of money sets: "1-2jt" two, "1,5jt" the upper one."""
    scale = 1_000_000 if unit in _words("millions") else 1_000 if unit in _words("thousands") else None
    amounts = [_amount(side, scale) for side in figure.split("-")]
    if any(amount is None or amount < LEAST_PRICE for amount in amounts) or len(amounts) > 2:
        return None, None
    return (amounts[0], amounts[1]) if len(amounts) == 2 else (None, amounts[0])


def _amount(figure: str, scale: int | None) -> Money | None:
    """The rupiah of "1,5" million, of "350.000" without a unit."""
    whole, _, part = figure.replace(",", ".").partition(".")
    if scale is None:
        digits = whole + part.replace(".", "")
        return int(digits) if digits.isdecimal() else None
    if not (whole.isdecimal() and (part.isdecimal() or not part)):
        return None
    return int(whole) * scale + (int(part) * scale // 10 ** len(part) if part else 0)


def _bound(line: Line, at: int, until: int) -> str | None:
    """Whether an amount is the most or the least that is to be paid, by the words around it."""
    after = text_at(line, until + matches(line, until, {"ke", "and"}))
    if after in _words("or_more") or (after in _words("to") and number_at(line, until + 1) is not None):
        return "min"
    if after in _words("or_less"):
        return "max"
    place = at - 1
    while text_at(line, place) in _words("between"):
        place -= 1
    word = text_at(line, place)
    if word in _words("least"):
        return "max" if text_at(line, place - 1) == "tidak" else "min"
    return "max" if word in _words("most") else None


def _orders(line: Line) -> Iterator[Said]:
    for found in find(line, "orders.yaml")[:1]:
        yield Said("attributes.order", Rank(found.rule.name), found.span(line))


@cache
def _by_key() -> dict[str, str]:
    return {key.strip(): kind for kind, row in table(TABLE)["types"].items() for key in str(row).split(",")}


@cache
def _words(name: str) -> frozenset[str]:
    words = table(TABLE)[name]
    return frozenset(words.split() if isinstance(words, str) else words)
