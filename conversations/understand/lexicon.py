"""The names a line may hold: categories, parts, services, cars and technicians, as the catalogue and chats call them.

Names are looked up exactly first, the longest run of words first and without spaces ("cr v", "CR-V", "crv"); what
is left of unknown words is then compared with every name that begins alike.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from rapidfuzz import fuzz, process

from conversations.understand.spelling import Line, Token, is_ordinary, replace, spell, table
from core.catalog import Catalogue

Kind = Literal["category", "part", "service", "car", "brand", "technician", "nothing"]
MOST_WORDS = 6
"""In one name."""
MOST_GUESSES = 40
"""Near spellings tried in one line."""


@dataclass(frozen=True, slots=True)
class Name:
    """Something named in a line; `of` is its id, or brand and model of a car."""

    kind: Kind
    of: tuple[str, ...]
    careful: bool = False
    """The name is a word of the language, too."""


@dataclass
class Found:
    """What a line names."""

    names: list[Name] = field(default_factory=list)
    taken: list[tuple[int, int, str]] = field(default_factory=list)

    def of(self, kind: Kind) -> list[tuple[str, ...]]:
        """The names of a kind in the order of the line, each once."""
        return list(dict.fromkeys(name.of for name in self.names if name.kind == kind))


class Lexicon:
    """All names of one catalogue version, ready to be looked up."""

    def __init__(self, names: dict[str, Name], services: dict[str, str], catalogue: Catalogue) -> None:
        self._names = names
        self._services = services
        self._catalogue = catalogue
        self._by_letter: dict[str, list[str]] = {}
        for key, name in names.items():
            if len(key) >= 4 and key.isalpha() and name.kind not in {"technician", "nothing"}:
                self._by_letter.setdefault(_sound(key), []).append(key)
        self._technicians = [key for key, name in names.items() if name.kind == "technician"]

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Lexicon":
        """The names of a catalogue; built once per version, in some tens of milliseconds."""
        names: dict[str, Name] = {}
        for key, name in _in_order(catalogue):
            known = names.setdefault(key, name)
            if known.kind == name.kind == "part" and known.of != name.of:
                names[key] = Name("part", tuple(dict.fromkeys(known.of + name.of)))
        services = {
            _key(alias): service.id
            for service in catalogue.services.values()
            for alias in (service.name.partition("(")[0], *service.aliases)
        }
        return cls(names, services, catalogue)

    def take_names(self, line: Line) -> tuple[Found, Line]:
        """What a line names, and the line with <category>, <part>, <car>, <technician> in place of it."""
        found = Found()
        line = self._take(line, found, self._exact)
        guesses = iter(range(MOST_GUESSES))
        line = self._take(line, found, lambda line, at: self._near(line, at, guesses))
        return found, line

    def technician_name(self, technician: str) -> str:
        """The name as in the catalogue."""
        return self._catalogue.technicians[technician].name

    def part_category(self, part: str) -> str:
        """The category of a part."""
        return self._catalogue.parts[part].category

    def services_in(self, line: Line) -> list[str]:
        """The services a line names; they take nothing out of it, since their names are made of wishes."""
        found: dict[str, None] = {}
        at = 0
        while at < len(line):
            for end in range(min(len(line), at + MOST_WORDS), at, -1):
                if (service := self._services.get(_joined(line[at:end]))) and _is_whole(line[at:end]):
                    found[service] = None
                    at = end - 1
                    break
            at += 1
        return list(found)

    def _take(self, line: Line, found: Found, find: "Finder") -> Line:
        at = 0
        while at < len(line):
            match = find(line, at)
            if match:
                name, end = match
                for each in (name, *self._within(line, at, end, name)):
                    found.names.append(each)
                line = replace(line, at, end, f"<{name.kind}>" if name.kind != "nothing" else "<nothing>")
            at += 1
        return line

    def _within(self, line: Line, start: int, end: int, name: Name) -> Iterator[Name]:
        """The car in a part's name: "frame hu avanza" is a frame, and speaks of an Avanza."""
        if name.kind != "part":
            return
        for at in range(start, end):
            for until in range(end, at, -1):
                inner = self._names.get(_joined(line[at:until]))
                if inner and inner.kind in {"car", "brand"} and (at, until) != (start, end):
                    yield inner
                    return

    def _exact(self, line: Line, at: int) -> tuple[Name, int] | None:
        if line[at].text.startswith("<"):
            return None
        for end in range(min(len(line), at + MOST_WORDS), at, -1):
            span = line[at:end]
            if not _is_whole(span):
                continue
            for key in (_joined(span), "".join(token.text for token in span if token.text.isalnum())):
                name = self._names.get(key)
                if name and (not name.careful or self._has_company(line, at, end)) and self._is_meant(name, line, at, end):
                    return name, end
        return None

    def _near(self, line: Line, at: int, guesses: Iterator[int]) -> tuple[Name, int] | None:
        token = line[at]
        if len(token.raw) < 4 or not token.raw.isalpha() or is_ordinary(token.text):
            if token.text == "kak" or token.text == "teknisi":
                return None
            return None
        if next(guesses, None) is None:
            return None
        best: tuple[float, str, int] | None = None
        for end in range(at + 1, min(len(line), at + 3) + 1):
            span = line[at:end]
            if not _is_whole(span) or any(is_ordinary(each.text) for each in span[1:]):
                break
            key = _joined(span)
            hit = process.extractOne(key, self._by_letter.get(_sound(key), ()), scorer=fuzz.ratio, score_cutoff=_cutoff(key))
            if hit and (best is None or hit[1] > best[0]):
                best = (hit[1], hit[0], end)
        if best:
            name = self._names[best[1]]
            if not name.careful:
                return name, best[2]
        return None

    def _has_company(self, line: Line, at: int, end: int) -> bool:
        before, after = line[at - 1].text if at else "", line[end] if end < len(line) else None
        return before in {"<brand>", "mobil", "untuk", "saya", "si"} or bool(after and after.number and 1980 < after.number < 2100)

    def _is_meant(self, name: Name, line: Line, at: int, end: int) -> bool:
        if name.kind != "technician":
            return True
        before = [token.text for token in line[max(0, at - 2) : at]]
        if any(word in {"nama", "saya", "n", "<greeting>"} for word in before):
            return False
        return any(word in {"sama", "dengan", "oleh", "teknisi", "by", "with", "kak", "ke", "si"} for word in before) or any(
            token.text == "teknisi" for token in line
        ) or len(line) <= 3


Finder = object


def _in_order(catalogue: Catalogue) -> Iterator[tuple[str, Name]]:
    """Keys and names, the surer ones first: the first to claim a key keeps it."""
    words = table("names.yaml")
    careful = {_key(word) for word in _listed(words["also_words"])}
    yield from ((_key(alias), Name("nothing", ())) for alias in _listed(words["nothing"]))
    categories = words["categories"]
    brands = words["brands"]
    assert isinstance(categories, dict) and isinstance(brands, dict)
    for category, rows in categories.items():
        yield from ((_key(alias), Name("category", (category,))) for row in rows for alias in row.split(","))
    for brand in {car.brand for car in catalogue.cars.values()}:
        yield from ((_key(alias), Name("brand", (brand,))) for alias in (brand, *brands.get(brand, "").split(",")) if alias)
    models = {(car.brand, car.model) for car in catalogue.cars.values()}
    for brand, model in sorted(models):
        name = Name("car", (brand, model))
        yield _key(brand + model), name
        if not _key(model).isdecimal():
            yield _key(model), Name("car", name.of, careful=_key(model) in careful)
    for car in catalogue.cars.values():
        for alias in car.aliases:
            if not _key(alias).isdecimal():
                yield _key(alias), Name("car", (car.brand, car.model), careful=_key(alias) in careful)
    for technician in catalogue.technicians.values():
        for alias in (technician.name, technician.name.split()[0], *technician.aliases):
            yield _key(alias), Name("technician", (technician.id,))
    general = {word for row in categories.values() for aliases in row for word in aliases.replace(",", " ").split()}
    for part in catalogue.parts.values():
        for alias in (part.name, *part.aliases):
            yield _key(alias), Name("part", (part.id,)) if _is_own(alias, general) else Name("category", (part.category,))


def _is_own(alias: str, general: set[str]) -> bool:
    """Whether an alias says more than "power 4 channel" or "speaker murah", which are many parts."""
    return any(
        not (word in general or word.isdecimal() or is_ordinary(spell(word)) or word in {"inch", "inci", "channel", "ch", "4ch"})
        for word in alias.casefold().replace("-", " ").split()
    )


def _listed(value: object) -> Iterable[str]:
    assert isinstance(value, list)
    return value


def _key(alias: str) -> str:
    return "".join(sign for sign in alias.casefold() if sign.isalnum())


def _joined(span: Line) -> str:
    return "".join(token.raw for token in span if token.raw.isalnum())


def _is_whole(span: Line) -> bool:
    """Whether a run of tokens can be one name: no sign at its ends, none but - and . within."""
    if not span[0].raw.isalnum() or not span[-1].raw.isalnum():
        return False
    return all(token.raw.isalnum() or token.raw in {"-", ".", "/", "+"} for token in span)


def _sound(key: str) -> str:
    """The first letter, with those that sound alike put together."""
    return {"v": "p", "f": "p", "q": "k", "c": "k", "z": "s", "y": "j", "i": "y"}.get(key[0], key[0]) if key else ""


def _cutoff(key: str) -> float:
    return 74 if len(key) >= 6 else 80
