"""From what was typed to words that the grammars know.

    "Bsk jm10 bs ga, bang?"  →  besok · jam · 10 · bisa · tidak · , · kak · ?

A word is looked up in `vocabulary/spellings.yaml`; a word that is nowhere is tried without its affixes and its
stretched letters, then as a near spelling of a word that matters. What was typed stays beside it, for names.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import yaml
from rapidfuzz import process
from rapidfuzz.distance import OSA

MOST_CHARACTERS = 600
"""What is read of a message: nobody says more in the part that matters, and every line takes bounded time."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or sign of a line; `raw` is what was typed, "" for the second word of a spelled-out form."""

    text: str
    raw: str
    glued: bool = False
    """Nothing stood between it and the token before."""

    @property
    def number(self) -> int | None:
        """Its value where it is a number."""
        return int(self.text) if self.text.isdecimal() else None


Line = tuple[Token, ...]


def tokenise(text: str) -> Line:
    """The tokens of a text in small letters, each word in its one spelling."""
    tokens: list[Token] = []
    plain = _plain(text)
    end = -1
    for found in _TOKEN.finditer(plain):
        words = spell(found[0]).split() if found[0].isalpha() else [found[0]]
        tokens.append(Token(words[0], found[0], glued=found.start() == end))
        tokens.extend(Token(word, "") for word in words[1:])
        end = found.end()
    return tuple(tokens)


def replace(line: Line, start: int, end: int, tag: str) -> Line:
    """The line with a span taken out and a tag such as <day> in its place, so that nobody reads it twice."""
    return (*line[:start], Token(tag, ""), *line[end:])


def texts(line: Iterable[Token]) -> list[str]:
    """The words alone."""
    return [token.text for token in line]


@lru_cache(maxsize=8192)
def spell(word: str) -> str:
    """The one spelling of a word in small letters (two words for some), or the word itself."""
    return _known(word) or _known(_unstretched(word)) or _without_affixes(_unstretched(word)) or _near(word) or word


def is_ordinary(word: str) -> bool:
    """Whether a word is one of the language, and so no misspelt name."""
    return word in _ordinary() or word in _spellings()


def table(name: str) -> dict[str, object]:
    """A table of `vocabulary/`."""
    loaded = yaml.safe_load(files(__package__).joinpath("vocabulary", name).read_text("utf-8"))
    assert isinstance(loaded, dict)
    return loaded


_TOKEN = re.compile(r"<[a-z_]+>|[^\W\d_]+|[0-9]+|[^\w\s]")
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])['’`´‘](?=[^\W\d_])")
_HALF_DAY = re.compile(r"(?<![a-z])([ap])\.\s?m\b\.?")
_STRETCH = re.compile(r"(.)\1{2,}")
_SUFFIXES = ("nya", "nyah", "lah", "kah", "kan", "in", "an", "ku", "mu", "s", "ing")
_PREFIXES = ("di", "nge", "ng", "me", "meng", "ter", "ke")


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]).casefold()
    text = "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))
    return _HALF_DAY.sub(r"\1m", _APOSTROPHE.sub("", text.replace("<", " ")))


def _known(word: str) -> str | None:
    return _spellings().get(word) or (word if word in _ordinary() else None)


def _unstretched(word: str) -> str:
    """ "bangettt" and "haloooo" without the drawl."""
    return _STRETCH.sub(r"\1", word)


def _without_affixes(word: str) -> str | None:
    for suffix in _SUFFIXES:
        stem = word.removesuffix(suffix)
        if stem != word and len(stem) >= 3 and (known := _known(stem)):
            return known
    for prefix in _PREFIXES:
        stem = word.removeprefix(prefix)
        if stem != word and len(stem) >= 4 and (known := _known(stem)):
            return known
    return None


def _near(word: str) -> str | None:
    """The word that matters which this one misses by a slip: one in five letters, or nothing but vowels."""
    if len(word) < 3 or len(word) > 20:
        return None
    candidates = _weighty().get(word[0], ())
    dropped = [known for known in candidates if _drops_vowels(word, known)]
    if len(dropped) == 1:
        return dropped[0]
    if len(word) < 5:
        return None
    found = process.extractOne(word, candidates, scorer=OSA.distance, score_cutoff=1 if len(word) < 8 else 2)
    return found[0] if found else None


def _drops_vowels(word: str, known: str) -> bool:
    return len(known) >= 4 and len(word) >= 3 and word != known and _consonants(word) == word and _consonants(known) == word


def _consonants(word: str) -> str:
    return "".join(letter for letter in word if letter not in "aeiou")


@cache
def _spellings() -> dict[str, str]:
    """Every spelling to its word; a word is a spelling of itself."""
    words: dict[str, str] = {}
    for word, spellings in table("spellings.yaml").items():
        words |= dict.fromkeys(str(spellings).split(), word)
    return words | {word: word for word in table("spellings.yaml") if " " not in word}


@cache
def _ordinary() -> frozenset[str]:
    """The commonest words of both languages, and every word of a cue."""
    common = files(__package__).joinpath("vocabulary", "ordinary.txt").read_text("utf-8").split()
    cues = (word for file in ("intents.yaml", "locations.yaml") for word in re.findall("[a-z]+", str(table(file))))
    return frozenset(common).union(cues)


@cache
def _weighty() -> dict[str, Sequence[str]]:
    """The long words of the table by their first letter: what a slip is worth repairing for."""
    by_letter: dict[str, list[str]] = {}
    for word in sorted({word for word in _spellings().values() if " " not in word and len(word) >= 5}):
        by_letter.setdefault(word[0], []).append(word)
    return by_letter
