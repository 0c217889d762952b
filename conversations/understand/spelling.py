"""From typed text to the words that the grammars know.

    "Bsk jm10 bs ga, bang?"  →  besok · jam · 10 · bisa · tidak · , · kak · ?

A word is looked up in `vocabulary/spellings.yaml`; an unknown one is tried without stretched letters and affixes, then
as a near spelling of an important word. The typed form is kept for names. A line is a tuple of tokens, some of them tags
such as <day> for what was read before.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml
from rapidfuzz import process
from rapidfuzz.distance import OSA

MAX_CHARACTERS = 600
"""Characters of a message that are read, so that reading takes bounded time."""

MIN_VOWELLESS = 4
"""Letters of a word without vowels; three are as likely those of a number plate."""
CUES = ("intents.yaml", "locations.yaml", "stances.yaml", "corrections.yaml", "orders.yaml", "polarity.yaml")
"""The tables of cues (`cues`)."""
MAX_WORDS = 6
"""Words in one name."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number, sign or tag; `raw` is what was typed, "" for a tag and the later words of a spelled-out form."""

    text: str
    raw: str = ""
    glued: bool = False
    """Without a space before it."""
    start: int = 0
    end: int = 0
    """Its characters in the text, those of all it stands for if it is a tag."""

    @property
    def number(self) -> int | None:
        return int(self.text) if self.text.isdecimal() else None


Line = tuple[Token, ...]
Span = tuple[int, int]
"""The characters of a text from one place to another."""


def text_at(line: Line, at: int) -> str:
    return line[at].text if 0 <= at < len(line) else ""


def number_at(line: Line, at: int) -> int | None:
    return line[at].number if 0 <= at < len(line) else None


def glued_at(line: Line, at: int) -> bool:
    return 0 <= at < len(line) and line[at].glued


def matches(line: Line, at: int, *words: str | Collection[str]) -> bool:
    """Whether these words (or, of a set, one of them) follow each other from a place on."""
    for place, wanted in enumerate(words, start=at):
        text = text_at(line, place)
        if text != wanted if isinstance(wanted, str) else text not in wanted:
            return False
    return True


def runs(line: Line, at: int, most: int = MAX_WORDS) -> Iterator[tuple[int, str, str]]:
    """The runs of words from a place on, the shortest first: the end of each, as typed and as spelt, without signs."""
    raw = spelt = ""
    for end in range(at, min(len(line), at + most)):
        token = line[end]
        if token.raw.isalnum():
            raw, spelt = raw + token.raw, spelt + token.text
            yield end + 1, raw, spelt if token.raw != token.text else raw.removesuffix("nya")
        elif not raw or token.raw not in {"-", ".", "/", "+"}:
            return


def replace(line: Line, start: int, end: int, tag: str) -> Line:
    """The line with a tag in place of a span, so that no later reader reads it."""
    first, last = span(line, start, end)
    return (*line[:start], Token(tag, start=first, end=last), *line[end:])


def span(line: Line, start: int, end: int) -> Span:
    """The characters of the tokens from one place to another."""
    if start < end:
        return line[start].start, line[end - 1].end
    place = line[start - 1].end if start else 0
    return place, place


def tokenise(text: str) -> Line:
    """The tokens of a text in lower case, each word in its one spelling."""
    tokens: list[Token] = []
    end = -1
    plain, places = _plain(text)
    for found in _TOKEN.finditer(plain):
        typed = found[0]
        if typed == "2" and found.start() == end and _is_doubled(tokens[-1]):
            tokens.append(replaced(tokens[-1], raw="", end=places[found.start()] + 1))  # "kira2", "kapan2"
            continue
        words = spell(typed).split() if typed.isalpha() else [typed]
        at, until = places[found.start()], places[found.end() - 1] + 1
        tokens.append(Token(words[0], typed, found.start() == end, at, until))
        tokens.extend(Token(word, start=at, end=until) for word in words[1:])
        end = found.end()
    return tuple(tokens)


def _is_doubled(token: Token) -> bool:
    """Whether "2" right after a word doubles it; "jam2" and "mazda2" are numbers."""
    return len(token.raw) >= 4 and token.text not in _COUNTING and is_ordinary(token.text) and token.raw.isalpha()


@lru_cache(maxsize=8192)
def spell(word: str) -> str:
    """The one spelling of a lower-case word (two words for some), or the word itself."""
    calm = _STRETCH.sub(r"\1", word)
    return _known(word) or _known(calm) or _without_affixes(calm) or _near(calm) or word


def is_ordinary(word: str) -> bool:
    """Whether a word is a common word of the language, and so no misspelt name."""
    return word in _ordinary() or word in _spellings()


@cache
def table(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("vocabulary", name).read_text("utf-8"))
    return loaded


def read_all() -> None:
    """Read all tables now: the first message shouldn't wait for them."""
    for file in files(__package__).joinpath("vocabulary").iterdir():
        if file.name.endswith(".yaml"):
            table(file.name)
    _spellings(), _ordinary(), _worth_repairing()


@cache
def phrases(name: str, section: str) -> dict[str, str]:
    """The phrases of a table's section, each with the key it stands for, in the order of the table."""
    return {phrase.strip(): str(key) for key, row in table(name)[section].items() for phrase in row.split(",")}


_TOKEN = re.compile(r"[^\W\d_]+|[0-9]+|[^\w\s]")
_ADDRESS = re.compile(r"\S+@\S+|https?://\S+")
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])['’`´‘](?=[^\W\d_])")
_HALF_DAY = re.compile(r"(?<![a-z])([ap])\.\s?m\b\.?")
_STRETCH = re.compile(r"(.)\1{2,}")
_COUNTING = frozenset(
    {"jam", "tanggal", "pukul", "nomor", "nomer", "pilih", "opsi", "ambil", "beli", "jadi", "pesan", "lantai"}
)
_NO_VOWELS = str.maketrans("", "", "aeiou")
_SUFFIXES = ("nya", "lah", "kah", "kan", "in", "an", "mu", "ing", "s")
_PREFIXES = ("di", "nge", "ng", "meng", "me", "ter", "ke")


def _plain(text: str) -> tuple[str, Sequence[int]]:
    """Lower case without accents or addresses; "jum'at" and "I'd" in one piece, "p.m." as pm.

    With it, for each character, its place in the text.
    """
    text = _ADDRESS.sub(lambda found: " " * len(found[0]), text[:MAX_CHARACTERS])
    if text.isascii():
        plain, places = text.casefold(), list(range(len(text)))
    else:
        folded = [(sign, at) for at, typed in enumerate(text) for sign in _folded(typed)]
        plain, places = "".join(sign for sign, _ in folded), [at for _, at in folded]
    idle = {found.start() for found in _APOSTROPHE.finditer(plain)}
    idle.update(at for found in _HALF_DAY.finditer(plain) for at in range(*found.span()) if not plain[at].isalpha())
    if idle:
        places = [place for at, place in enumerate(places) if at not in idle]
        plain = "".join(sign for at, sign in enumerate(plain) if at not in idle)
    return plain, places


def _folded(sign: str) -> Iterator[str]:
    return (each for each in unicodedata.normalize("NFKD", sign).casefold() if not unicodedata.combining(each))


def _known(word: str) -> str | None:
    return _spellings().get(word) or (word if word in _ordinary() else None)


def _without_affixes(word: str) -> str | None:
    if word.endswith("ku") and (thing := _known(word.removesuffix("ku")) or _without_affixes(word.removesuffix("ku"))):
        return f"{thing} saya"
    stems = [
        *(word.removesuffix(suffix) for suffix in _SUFFIXES if word.endswith(suffix) and len(word) - len(suffix) >= 3),
        *(
            word.removeprefix(prefix)
            for prefix in _PREFIXES
            if word.startswith(prefix) and len(word) - len(prefix) >= 4
        ),
    ]
    return next((known for stem in stems if (known := _known(stem))), None)


def _near(word: str) -> str | None:
    """The important word that this one misses by its vowels alone ("jdwl") or by a slip ("garanis")."""
    if not 3 <= len(word) <= 20:
        return None
    candidates = _worth_repairing().get(word[0], ())
    vowelless = [known for known in candidates if known.translate(_NO_VOWELS) == word]
    if len(vowelless) == 1 and len(word) >= MIN_VOWELLESS:
        return vowelless[0]
    if len(word) < 5:
        return None
    found = process.extractOne(word, candidates, scorer=OSA.distance, score_cutoff=1 if len(word) < 8 else 2)
    if found is None or (len(word) == 5 == len(found[0]) and sorted(word) != sorted(found[0])):
        return None  # a changed letter makes another short word: "belok" is not "besok"
    return found[0]


@cache
def _spellings() -> dict[str, str]:
    """Every spelling and its word; a word is a spelling of itself."""
    words = {spelling: word for word, row in table("spellings.yaml").items() for spelling in str(row).split()}
    return words | {word: word for word in words.values() if " " not in word}


@cache
def _ordinary() -> frozenset[str]:
    """The commonest words of both languages, and every word of a cue."""
    common = files(__package__).joinpath("vocabulary", "ordinary.txt").read_text("utf-8").split()
    cues = (word for file in CUES for word in re.findall("[a-z]+", str(table(file))))
    return frozenset(common).union(cues)


@cache
def _worth_repairing() -> Mapping[str, Sequence[str]]:
    """The longer words of the table by their first letter, which is seldom mistyped."""
    by_letter: dict[str, list[str]] = {}
    for word in sorted(set(_spellings().values())):
        if " " not in word and len(word) >= 5:
            by_letter.setdefault(word[0], []).append(word)
    return by_letter
