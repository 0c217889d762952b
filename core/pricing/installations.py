"""Which service installs a part, and how often: a part's quantity multiplies it (flow.md, section 1). Pure rules."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

INSTALLATION = "installation"
"""The service category that is done once for each piece; a repair, an upgrade or a package isn't."""
_VERBS = frozenset({"pasang", "ganti", "install", "replace"})


class Named(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def aliases(self) -> list[str]: ...

    @property
    def category(self) -> str: ...


class Thing(Named, Protocol):
    """What must be known of a part."""

    @property
    def type(self) -> str | None: ...


class Work(Protocol):
    """What must be known of a service, to say how often it is done."""

    @property
    def category(self) -> str: ...

    @property
    def installs(self) -> list[str]: ...


class Offer(Named, Work, Protocol):
    """What must be known of a service, to say which part it installs."""

    @property
    def id(self) -> str: ...

    @property
    def price(self) -> int: ...

    @property
    def installs_types(self) -> list[str]: ...

    @property
    def is_available(self) -> bool: ...


def usual_installation(part: Thing, services: Iterable[Offer]) -> str | None:
    """The id of the service that installs a part where the customer names none; None if nothing tells.

    The cheapest that is for the part's type (`installs_types`). Where none is, and for a part that says no type, names
    decide: all words of one of the service's names must be the part's, or its category. Words of the part decide before
    the category ("pasang component" before "pasang speaker").
    """
    able = [
        each
        for each in services
        if each.category == INSTALLATION and part.category in each.installs and each.is_available
    ]
    own = [each for each in able if part.type in each.installs_types]
    if own:
        return min(own, key=lambda each: (each.price, each.id)).id
    return _by_name(part, [each for each in able if part.type is None or not each.installs_types])


def _by_name(part: Thing, services: Iterable[Offer]) -> str | None:
    own = set(_words(" ".join((part.name, *part.aliases)))) - {part.category}
    best: tuple[int, int] = (-1, 0)
    found = None
    for service in services:
        for name in (service.name.partition("(")[0], *service.aliases):
            words = set(_words(name)) - _VERBS
            rank = len(words & own), -service.price
            if words and words <= own | {part.category} and rank > best:
                best, found = rank, service.id
    return found


def times_of(
    chosen: Iterable[str], works: Mapping[str, Work], pieces: Mapping[str, int], otherwise: Mapping[str, int]
) -> dict[str, int]:
    """How often each chosen service is done, by id.

    `pieces`: how many parts of each category are ordered. `otherwise`: how often the customer wants it instead; a
    service that is listed several times says so, too. Where several services install the same category, there are as many
    installations as pieces in all, and the service listed first takes those that are left over.
    """
    times = dict(Counter(chosen))
    said = {each: count for each, count in otherwise.items() if each in times}
    times |= said
    settled = set[str]()
    for each in times:
        category = _category(works[each], pieces)
        if category is None or category in settled or each in said or times[each] > 1:
            continue
        settled.add(category)
        others = sum(n for other, n in times.items() if other != each and _category(works[other], pieces) == category)
        times[each] = max(1, pieces[category] - others)
    return times


def _words(text: str) -> Iterator[str]:
    return (word[0] for word in re.finditer(r"[^\W_]+", text.casefold()))


def _category(work: Work, pieces: Mapping[str, int]) -> str | None:
    """The category whose pieces count: the first that it installs; an amplifier's cables are part of the work."""
    if work.category != INSTALLATION:
        return None
    return next((category for category in work.installs if pieces.get(category)), None)
