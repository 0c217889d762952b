"""Where the shop does on-site jobs: within a radius for pins, in listed districts for street addresses. Pure rules.

Neither is set: everywhere. A pin is measured if there is a radius, otherwise its address counts as a street address. A
street address must name a listed district: a customer who lives in one only needs to add its name, and nobody drives
across the province for an address that says nothing, or for a pin without one. With a radius alone a street address
can't be measured, and is accepted.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import asin, cos, radians, sin, sqrt

from core.refusals import OutsideDistricts, TooFarAway
from core.shop import Shop

EARTH_KM = 6371.0
_MOST_WORDS = 6
"""In the name of a district."""


def check(shop: Shop, *, address: str | None, latitude: float | None, longitude: float | None) -> None:
    """Raise `TooFarAway` or `OutsideDistricts` for a place that the shop doesn't go to."""
    radius, there = shop.onsite_radius_km, _point(latitude, longitude)
    here, place = _point(shop.latitude, shop.longitude), {"address": shop.address, "city": shop.city}
    if radius is not None and here and there:
        if distance_km(here, there) > radius:
            raise TooFarAway(km=radius, **place)
    elif shop.onsite_districts and not _names_one_of(shop.onsite_districts, address or ""):
        raise OutsideDistricts(districts=", ".join(shop.onsite_districts), **place)


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """As the crow flies (haversine)."""
    north, east, to_north, to_east = map(radians, (*one, *other))
    half = sin((to_north - north) / 2) ** 2 + cos(north) * cos(to_north) * sin((to_east - east) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(min(1.0, half)))


def _point(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    return None if latitude is None or longitude is None else (latitude, longitude)


def _names_one_of(districts: tuple[str, ...], address: str) -> bool:
    named = set(_runs(_words(address)))
    return any("".join(_words(district)) in named for district in districts)


def _words(text: str) -> list[str]:
    """Lower case, words alone: "Kec. Cilandak, Jak-Sel" is kec, cilandak, jak, sel."""
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def _runs(words: Sequence[str]) -> Iterator[str]:
    """Words that follow each other, written as one: "Pasarminggu" and "Pasar Minggu" are both common."""
    for first in range(len(words)):
        yield from accumulate(words[first : first + _MOST_WORDS])
