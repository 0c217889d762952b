"""The names a line may hold: categories, parts, services, cars and technicians, by their names and aliases.

Names are compared without spaces ("cr v", "CR-V" and "crv" are one), the longest run of words first; unknown words
are then compared with names that begin alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import Literal

from rapidfuzz import fuzz, process

from conversations.understand.said import Said
from conversations.understand.spelling import (
    Line,
    Span,
    is_ordinary,
    number_at,
    replace,
    runs,
    span,
    spell,
    table,
    text_at,
    tokenise,
)
from core.catalogue.snapshot import Catalogue

MAX_GUESSES = 40
"""Unknown words of a line that are compared with names."""
MOST_OF_ONE_NAME = 50
"""Parts that one name can mean; a name of more is a word for their category."""
MIN_PART_SIMILARITY = 88
"""Out of 100; models of parts differ by a letter."""

BEFORE_A_CAR = frozenset({"<brand>", "mobil", "untuk", "saya", "si"})
BEFORE_A_TECHNICIAN = frozenset(
    {"sama", "dengan", "oleh", "by", "with", "kak", "ke", "si", "teknisi", "dari"}
    | {"bukan", "jangan", "selain", "kecuali", "ganti", "tukar", "tidak jadi", "not", "except", "but"}
)
AFTER_A_TECHNICIAN = frozenset({"saja", "tidak", "libur", "cuti", "ganti", "masuk"})
OWN_NAME = frozenset({"nama", "saya", "n", "<greeting>"})
MIXED = frozenset({"accessory", "other", "kabel"})
"""Categories that hold things of many kinds."""
MOST_OF_A_KIND = 40
"""Parts that a word such as "frame" names one by one; of more it names the category."""
NO_MAKERS = frozenset({"oem", "original", "lokal", "lainnya", "no brand", "-"})
"""What catalogues write where a part has no brand."""
UNITS = {"inch", "inci", "channel", "ch"}
SOUNDS_LIKE = {"v": "p", "f": "p", "q": "k", "c": "k", "z": "s", "y": "j"}


@dataclass(frozen=True, slots=True)
class Name:
    """What is named: a category, part ids, a brand of parts, of cars, a brand and model, or a technician id."""

    kind: Literal["category", "part", "maker", "brand", "car", "technician", "nothing"]
    of: tuple[str, ...]
    also_a_word: bool = False
    """"City" and "march": a car only beside its brand, its year or the word "mobil"."""


@dataclass(frozen=True, slots=True)
class Named:
    """A name that a line holds, and where."""

    name: Name
    span: Span


Match = tuple[Name, int]
"""A name, and the place after it."""


class Lexicon:
    def __init__(self, catalogue: Catalogue, names: Mapping[str, Name], services: Mapping[str, str]) -> None:
        self.catalogue = catalogue
        self.repairs = dict(_repairs(catalogue, names))
        """The service that repairs things of a category; under "", the one that finds out what is wrong."""
        self._names = names
        self._services = services
        self._by_sound: dict[str, list[str]] = {}
        for key, name in names.items():
            if len(key) >= 4 and key.isalpha() and name.kind != "nothing" and not name.also_a_word:
                self._by_sound.setdefault(_sound(key), []).append(key)

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Lexicon":
        """Takes some tens of milliseconds for each thousand parts: build it off the event loop."""
        names: dict[str, Name] = {}
        shared: dict[str, list[str]] = {}
        for alias, name in _surest_first(catalogue):
            key = _key(alias)
            known = names.setdefault(key, name)
            if known is not name and known.kind == name.kind == "part":  # of others the first keeps the alias
                shared.setdefault(key, list(known.of)).extend(name.of)
        names |= {key: _of_several(catalogue, tuple(dict.fromkeys(parts))) for key, parts in shared.items()}
        names.pop("", None)
        services = {
            key: service.id
            for service in catalogue.services.values()
            for alias in (service.name.partition("(")[0], *service.aliases)
            for key in (_key(alias), "".join(token.text for token in tokenise(alias)))
        }
        return cls(catalogue, names, services)

    def take_names(self, line: Line) -> tuple[list[Named], Line]:
        """What a line names in its order, and the line with <category>, <part>, <car>, <technician> in its place."""
        found: list[Named] = []
        guesses = iter(range(MAX_GUESSES))
        at = 0
        while at < len(line):
            if match := self._exact(line, at) or self._near(line, at, guesses):
                name, end = match
                where = span(line, at, end)
                found.extend(Named(each, where) for each in (name, *self._car_within(line, at, end, name)))
                line = replace(line, at, end, f"<{name.kind}>")
            at += 1
        return found, line

    def services_in(self, line: Line) -> list[Said]:
        """The named services; the line keeps them, since "ganti tape" is also an intent."""
        found = []
        at = 0
        while at < len(line):
            service, end = self._service(line, at)
            found.extend([Said("services", service, span(line, at, end))] if service else [])
            at = end
        return found

    def _service(self, line: Line, at: int) -> tuple[str | None, int]:
        """The service with the longest name at a place, as typed or in its one spelling, and the place after it."""
        found: tuple[str | None, int] = (None, at + 1)
        spelt = ""
        for end, raw, _ in runs(line, at):
            spelt += line[end - 1].text
            if service := self._services.get(raw) or self._services.get(spelt):
                found = service, end
        return found

    def _car_within(self, line: Line, start: int, end: int, part: Name) -> Iterator[Name]:
        """The car in a part's name: "frame hu avanza" is a frame for an Avanza."""
        if part.kind == "part":
            inner = (self._names.get(raw) for at in range(start, end) for _, raw, _ in runs(line[:end], at))
            yield from (name for name in inner if name and name.kind == "car")

    def _exact(self, line: Line, at: int) -> Match | None:
        match = None
        for end, *keys in runs(line, at):
            for name in filter(None, map(self._names.get, keys)):
                if _is_meant(name, line, at, end):
                    match = name, end
        return match

    def _near(self, line: Line, at: int, guesses: Iterator[int]) -> Match | None:
        """The name nearest to an unknown word, alone or with those after it."""
        word = line[at].raw
        is_unknown = len(word) >= 4 and word.isalpha() and not is_ordinary(line[at].text) and word not in self._names
        if not is_unknown or next(guesses, None) is None:
            return None
        hits = []
        for end, key, _ in runs(line, at, most=3):
            if any(is_ordinary(token.text) for token in line[at + 1 : end]):
                break
            near = self._by_sound.get(_sound(key), ())
            min_similarity = 76 if len(key) >= 8 else 80  # of 100; a slip in a short name weighs more
            hit = process.extractOne(key, near, scorer=fuzz.ratio, score_cutoff=min_similarity)
            if hit and (self._names[hit[0]].kind != "part" or hit[1] >= MIN_PART_SIMILARITY):
                hits.append((hit[1], end, self._names[hit[0]]))
        _, end, name = max(hits, key=lambda hit: hit[0], default=(0, at, None))
        return (name, end) if name and _is_meant(name, line, at, end) else None


def _repairs(catalogue: Catalogue, names: Mapping[str, Name]) -> Iterator[tuple[str, str]]:
    for service in catalogue.services.values():
        if service.category == "repair" and service.is_available:
            words = tokenise(service.name)
            keys = (key for at in range(len(words)) for _, *both in runs(words, at) for key in both)
            categories = {name.of[0] for key in keys if (name := names.get(key)) and name.kind == "category"}
            yield from ((category, service.id) for category in categories or {""})


def _of_several(catalogue: Catalogue, parts: tuple[str, ...]) -> Name:
    """What several parts are called: those parts, or their category where nobody means so many."""
    if len(parts) <= MOST_OF_ONE_NAME:
        return Name("part", parts)
    return Name("category", (catalogue.parts[parts[0]].category,))


def _surest_first(catalogue: Catalogue) -> Iterator[tuple[str, Name]]:
    """Every alias with what it names, the surest first."""
    words = table("names.yaml")
    categories = {
        name: [alias for row in rows for alias in row.split(",")] for name, rows in words["categories"].items()
    }
    yield from ((alias, Name("nothing", ())) for alias in words["nothing"])
    yield from _kinds(catalogue, categories)
    yield from ((alias, Name("category", (category,))) for category, aliases in categories.items() for alias in aliases)
    yield from _cars(catalogue, words["brands"], set(map(_key, words["also_words"])))
    for technician in catalogue.technicians.values():
        for alias in (technician.name, technician.name.partition(" ")[0], *technician.aliases):
            yield alias, Name("technician", (technician.id,))
    yield from ((brand, Name("maker", (brand,))) for brand in _makers(catalogue))
    general = {word for aliases in categories.values() for alias in aliases for word in alias.split()}
    is_own = cache(lambda word: _is_own(word, general))  # catalogues repeat their words
    for part in catalogue.parts.values():
        named, one_of_many = Name("part", (part.id,)), Name("category", (part.category,))
        for alias in (part.name, *_model(part.name, general), *part.aliases):
            # "power 4 channel" and "speaker murah" are many parts.
            is_its_own = any(map(is_own, alias.casefold().replace("-", " ").split()))
            yield alias, named if is_its_own else one_of_many


def _kinds(catalogue: Catalogue, categories: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Name]]:
    """Words for one kind of a mixed category, with the parts of that kind: "dashcam", "kamera mundur", "kabel rca"."""
    for category in MIXED & catalogue.shelves.keys():
        texts = {
            part.id: tuple(f" {text.casefold()} " for text in (part.name, *part.aliases))
            for part in catalogue.shelves[category]
        }
        for alias in map(str.strip, categories.get(category, ())):
            parts = [part for part, names in texts.items() if any(f" {alias} " in name for name in names)]
            is_a_kind = " " in alias or len(parts) < len(texts) / 2
            if is_a_kind and 0 < len(parts) <= MOST_OF_A_KIND:
                yield alias, Name("part", tuple(parts))


def _makers(catalogue: Catalogue) -> list[str]:
    return sorted({part.brand for part in catalogue.parts.values() if part.brand.casefold() not in NO_MAKERS} - {""})


def _model(name: str, general: set[str]) -> list[str]:
    """ "JBL Stage3 607CF Component 6,5 inch" is also "JBL Stage3 607CF" and "Stage3 607CF"."""
    words = list(takewhile(lambda word: word not in general, name.casefold().split()))
    runs = (words, words[1:])
    return [" ".join(run) for run in runs if any(sign.isdecimal() for word in run for sign in word)]


def _cars(catalogue: Catalogue, brands: Mapping[str, str], words: set[str]) -> Iterator[tuple[str, Name]]:
    cars = catalogue.cars.values()
    for brand in sorted({car.brand for car in cars}):
        yield from ((alias, Name("brand", (brand,))) for alias in (brand, *brands.get(brand, brand).split(",")))
    for brand, model in sorted({(car.brand, car.model) for car in cars}):
        yield f"{brand} {model}", Name("car", (brand, model))
        yield model, Name("car", (brand, model), also_a_word=_key(model) in words)
    for car in cars:
        yield from (
            (alias, Name("car", (car.brand, car.model), also_a_word=_key(alias) in words)) for alias in car.aliases
        )


def _is_own(word: str, general: set[str]) -> bool:
    if word in general or word in UNITS or word.isdecimal():
        return False
    return not word.isalpha() or not is_ordinary(spell(word))


def _is_meant(name: Name, line: Line, at: int, end: int) -> bool:
    before = {text_at(line, at - 1), text_at(line, at - 2)}
    if name.kind == "technician":
        led = before & BEFORE_A_TECHNICIAN or any(token.text == "teknisi" for token in line)
        led = led or text_at(line, end) in AFTER_A_TECHNICIAN
        return not before & OWN_NAME and bool(led or len(line) <= 3 or line[at].text == "kak")
    if name.kind == "car" and all(token.number is not None for token in line[at:end]):
        return "<brand>" in before
    if name.also_a_word:
        return bool(before & BEFORE_A_CAR) or 1980 < (number_at(line, end) or 0) < 2100
    return True


def _key(alias: str) -> str:
    folded = alias.casefold()
    return folded if folded.isalnum() else "".join(filter(str.isalnum, folded))


def _sound(key: str) -> str:
    """The first letter, or the one often written instead."""
    return SOUNDS_LIKE.get(key[:1], key[:1])
