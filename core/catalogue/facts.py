"""What the catalogue knows of a part, in a form that is quick to filter and to compare.

A catalogue is indexed once, so that a question looks only at parts with the wanted brand, size or type.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter

from core.catalogue.attributes import Attributes, PartType
from core.catalogue.snapshot import Catalogue, PerCatalogue
from core.db.tables import Part
from core.money import Money, discounted

HALF_AN_INCH = 0.5
_IMPLIED = {
    PartType.COMPONENT_3WAY: {PartType.COMPONENT},
    PartType.MONOBLOCK: {PartType.AMPLIFIER},
    PartType.BOXED: {PartType.PASSIVE},
}
"""A part of one type is also of these."""
_DIN = {"dash-1din": PartType.SINGLE_DIN, "dash-2din": PartType.DOUBLE_DIN}


@dataclass(slots=True, eq=False)
class Facts:
    """A part with what is compared of it; None: the catalogue doesn't say. Not frozen, since there are many to make."""

    part: Part
    id: str
    category: str
    mount: str | None
    brand: str
    """In small letters."""
    price: Money
    """After discount."""
    list_price: Money
    size: str | None
    area: float
    """In square inches, of a rectangle around it; 0: unknown."""
    types: frozenset[str]
    channels: int | None
    watts: int | None
    power: int
    """RMS watts of all channels together; 0: unknown."""
    warranty_months: int
    is_pre_order_only: bool
    place: int = 0
    """Among all parts for sale, the cheapest first."""

    @property
    def quality(self) -> tuple[float, ...]:
        """The rule by which a part is better than another: list price, power, size, warranty; larger is better."""
        return self.list_price, self.power, self.area, self.warranty_months


@lru_cache(maxsize=1024)
def area(size: str | None) -> float:
    if size is None:
        return 0.0
    first, _, second = size.partition("x")
    return float(first) * float(second or first)


def facts_of(part: Part) -> Facts:
    mount, category, price = part.mount, part.category, part.price
    channels, watts = part.channels, part.watts
    size = part.size or _size_of_mount(mount)
    return Facts(
        part=part,
        id=part.id,
        category=category,
        mount=mount,
        brand=part.brand.casefold(),
        price=discounted(price, part.discount),
        list_price=price,
        size=size,
        area=area(size),
        types=_types(part.type, category, mount),
        channels=channels,
        watts=watts,
        power=(watts or 0) * (channels or 1),
        warranty_months=part.warranty_months,
        is_pre_order_only=part.is_pre_order_only,
    )


def prepare(catalogue: Catalogue) -> None:
    """Build the index, which takes some hundred milliseconds for tens of thousands of parts."""
    _index(catalogue)


def find(catalogue: Catalogue, categories: Sequence[str], wanted: Attributes) -> Sequence[Facts]:
    """The parts for sale with these attributes, of these categories (none: of all), the cheapest first.

    A size that no part of a category has means the nearest within half an inch: "6 inch" is 6.5.
    """
    index = _index(catalogue)
    found = [index.of_category(category, wanted) for category in categories or tuple(index.shelves)]
    return found[0] if len(found) == 1 else sorted((each for row in found for each in row), key=_PLACE)


def named(catalogue: Catalogue, ids: Iterable[str], wanted: Attributes) -> Sequence[Facts]:
    """Those of these parts that are for sale and have these attributes, the cheapest first."""
    by_id = _index(catalogue).by_id
    found = [by_id[each] for each in ids if each in by_id]
    if wanted:
        found = [each for each in found if fits_description(each, wanted)]
    return sorted(found, key=_PLACE)


def brands(catalogue: Catalogue) -> dict[str, str]:
    """The brands of parts for sale: in small letters, and as the catalogue spells them."""
    return _index(catalogue).brands


def on_sale(catalogue: Catalogue) -> Sequence[Facts]:
    """The parts with a discount, the largest first."""
    return _index(catalogue).on_sale


def fits_description(facts: Facts, wanted: Attributes) -> bool:
    """Whether a part has all these attributes; `order` is none."""
    return (
        (wanted.brand is None or facts.brand == wanted.brand.casefold())
        and (wanted.size is None or facts.size == wanted.size)
        and (wanted.type is None or wanted.type in facts.types)
        and (wanted.channels is None or facts.channels == wanted.channels)
        and (wanted.watts is None or (facts.watts or 0) >= wanted.watts)
        and (wanted.price_max is None or facts.price <= wanted.price_max)
        and (wanted.price_min is None or facts.price >= wanted.price_min)
    )


def nearest_sizes(wanted: str, known: Iterable[str]) -> list[str]:
    """The size itself, or else the nearest round ones within half an inch."""
    sizes = set(known)
    if wanted in sizes or "x" in wanted:
        return [wanted]
    gaps = {size: abs(float(size) - float(wanted)) for size in sizes if "x" not in size}
    nearest = min(gaps.values(), default=HALF_AN_INCH + 1)
    return [size for size, gap in gaps.items() if gap == nearest <= HALF_AN_INCH]


class _Index:
    def __init__(self, catalogue: Catalogue) -> None:
        self.shelves: dict[str, list[Facts]] = {}
        """By category, the cheapest first."""
        self._by: dict[tuple[str, str, object], list[Facts]] = {}
        """By category, attribute and value, the cheapest first."""
        self._sizes: dict[str, set[str]] = {}
        self.brands: dict[str, str] = {}
        self.on_sale: list[Facts] = []
        every = [facts_of(part) for parts in catalogue.shelves.values() for part in parts]
        for place, facts in enumerate(sorted(every, key=_by_price)):
            facts.place = place
            self._put(facts)
        self.by_id = {facts.id: facts for facts in every}
        self.on_sale.sort(key=lambda facts: facts.price - facts.list_price)

    def _put(self, facts: Facts) -> None:
        self.shelves.setdefault(facts.category, []).append(facts)
        self.brands.setdefault(facts.brand, facts.part.brand)
        if facts.price < facts.list_price:
            self.on_sale.append(facts)
        if facts.size is not None:
            self._sizes.setdefault(facts.category, set()).add(facts.size)
        for name in ("brand", "size", "channels"):
            self._by.setdefault((facts.category, name, getattr(facts, name)), []).append(facts)
        for one in facts.types:
            self._by.setdefault((facts.category, "type", one), []).append(facts)

    def of_category(self, category: str, wanted: Attributes) -> list[Facts]:
        wants = {
            "brand": wanted.brand.casefold() if wanted.brand else None,
            "channels": wanted.channels,
            "type": wanted.type,
        }
        rows = [self._by.get((category, name, value), []) for name, value in wants.items() if value is not None]
        sizes = nearest_sizes(wanted.size, self._sizes.get(category, ())) if wanted.size is not None else []
        if wanted.size is not None:
            rows.append([facts for size in sizes for facts in self._by.get((category, "size", size), ())])
        fewest = min(rows, key=len, default=self.shelves.get(category, []))
        rest = replace(wanted, size=None)
        found = [
            each for each in fewest if fits_description(each, rest) and (wanted.size is None or each.size in sizes)
        ]
        return sorted(found, key=_PLACE) if len(sizes) > 1 else found


_index = PerCatalogue(_Index)


_PLACE = attrgetter("place")


def _by_price(facts: Facts) -> tuple[Money, str]:
    return facts.price, facts.id


@lru_cache(maxsize=1024)
def _size_of_mount(mount: str | None) -> str | None:
    """The size that an opening implies: "speaker-6.5", "dash-9"."""
    kind, _, size = (mount or "").partition("-")
    return size if kind in ("speaker", "dash") and "din" not in size and size else None


@lru_cache(maxsize=4096)
def _types(kind: str | None, category: str, mount: str | None) -> frozenset[str]:
    own = {PartType(kind)} if kind in set(PartType) else set()
    implied = {other for one in own for other in _IMPLIED.get(one, ())}
    din = {_DIN[mount]} if category == "headunit" and mount in _DIN else set()
    return frozenset(own | implied | din)
