"""Which of the owner's answers a customer's words ask for, by the words that count.

    "parkirnya dmn ya kak?"  →  {parkir, mana}  ~  "Parkir mobil di mana?"

A word counts unless it is courtesy or grammar; question words count half. Two questions are the same when nearly all
words of both meet, each in its spelling or a near one; numbers meet only exactly.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from rapidfuzz import fuzz

from conversations.understand.numbers import with_digits
from conversations.understand.spelling import spell, table, tokenise
from core.context import Context
from core.db.tables import Contact
from core.faq import entries, unanswered
from core.faq.entries import LONGEST_QUESTION, Entry
from core.messaging.messages import Option, message, say
from core.notices.tell import tell_admins

THRESHOLD = 80
"""Least likeness of two questions, out of 100."""
CONTRADICTION = 10
"""Taken off where each question has a word that the other hasn't ("buka minggu?" isn't "buka sabtu?"); twice as much
where only one has a "not".
"""
MIN_RATIO, MIN_RATIO_SHORT, SHORT = 82, 88, 5
"""Least similarity of two words, out of 100; of up to five letters, where one changed letter makes another word."""
_TABLE = "faq.yaml"
_NEGATION = "tidak"
_AFFIXES = (
    (re.compile(r"(?<=\w{3})(?:nya?|kah)$"), ""),
    (re.compile(r"(?<=\w{5})(?:kan|in)$"), ""),
    (re.compile(r"^(?:meng|ng|di)(?=[aiueo]\w{3})"), ""),
    (re.compile(r"^(?:men|n)(?=[aiueo]\w{4})"), "t"),
    (re.compile(r"^(?:mem)(?=[aiueo]\w{3})"), "p"),
    (re.compile(r"^meny(?=\w{3})"), "s"),
    (re.compile(r"(?<=\w[^aiueo])e(?=[rtnkmlps]$)"), "a"),  # tuker, anter
)
"""What speech adds to a word: "menunggu", "nunggu" and "tunggu" are one."""

Words = Mapping[str, float]
"""The words that count, with their weights."""


async def find(ctx: Context, text: str, language: str) -> str | None:
    """The owner's answer to a question, None if there is none: one query, for when nothing else was understood."""
    asked = words_of(text)
    if not _says_something(asked):
        return None
    best = _best(asked, await entries.load(ctx.session))
    return best.answer_in(language) if best else None


async def remember_unanswered(ctx: Context, contact: Contact, text: str) -> None:
    """Count a customer's question that nobody could answer; what isn't a question is left out."""
    if not is_question(text):
        return
    asked, names = words_of(text), await unanswered.topic_names(ctx)
    await _tell_admins(ctx)
    same = next((name for name in names if likeness(asked, words_of(name)) >= THRESHOLD), None)
    await unanswered.remember(ctx, contact, same or " ".join(sorted(asked)), text[:LONGEST_QUESTION])


async def _tell_admins(ctx: Context) -> None:
    """Once a day, that there are questions to answer."""
    news = message(say("faq.open"), options=(Option("questions", say("team.option.questions")),))
    await tell_admins(ctx, f"questions:{ctx.shop.local(ctx.now).date()}", news, is_urgent=False)


def is_question(text: str) -> bool:
    """Whether a text asks something that an answer can be kept for."""
    said = {token.text for token in tokenise(text)}
    return _says_something(words_of(text)) and ("?" in said or not said.isdisjoint(_listed("cues") | _listed("asking")))


@lru_cache(maxsize=8192)
def words_of(text: str) -> Words:
    """The words of a question that count."""
    said = [token.text for token in with_digits(tokenise(text))]
    said = [
        word
        for at, word in enumerate(said)
        if not (word == _NEGATION and not _listed("asked_with_not").isdisjoint(said[:at]))
        and (word, *said[at + 1 : at + 2]) != ("terima", "kasih")
        and (*said[max(0, at - 1) : at], word) != ("terima", "kasih")
    ]
    while said and (said[-1] == _NEGATION or said[-1] in _listed("idle") or not said[-1].isalnum()):
        said.pop()  # "ada wifi ga?" asks whether there is
    stems = (_stem(word) for word in said if word.isalnum())
    return {word: 0.5 if word in _listed("asking") else 1.0 for word in stems if word not in _listed("idle")}


def likeness(one: Words, other: Words) -> float:
    """How alike two questions are, out of 100."""
    weight = sum(one.values()) + sum(other.values())
    if not weight:
        return 0
    pairs = _pairs(one, other)
    met = sum(one[mine] + other[theirs] for mine, theirs in pairs.items())
    contradicts = len(pairs) < len(one) and len(pairs) < len(other)
    negates = (_NEGATION in one) != (_NEGATION in other)
    return 100 * met / weight - CONTRADICTION * (contradicts + 2 * negates)


def _best(asked: Words, known: Sequence[Entry]) -> Entry | None:
    """The entry that is most like the question; None if none is like enough, or two are equally near."""
    scores = [(max(likeness(asked, words_of(question)) for question in entry.questions), entry) for entry in known]
    top = max((score for score, _ in scores), default=0)
    found = [entry for score, entry in scores if score == top]
    return found[0] if top >= THRESHOLD and (len(found) == 1 or top == 100) else None


def _pairs(one: Words, other: Words) -> dict[str, str]:
    """Each word with its like in the other question; no word twice."""
    found: dict[str, str] = {}
    for word in one:
        left = [each for each in other if each not in found.values()]
        like = next((each for each in left if each == word), None) or max(
            (each for each in left if _is_near(word, each)), key=lambda each: fuzz.ratio(word, each), default=None
        )
        if like is not None:
            found[word] = like
    return found


def _is_near(one: str, other: str) -> bool:
    if one.isdigit() or other.isdigit() or min(len(one), len(other)) < SHORT - 1:
        return False
    least = MIN_RATIO_SHORT if min(len(one), len(other)) <= SHORT else MIN_RATIO
    return fuzz.ratio(one, other) >= least


def _stem(word: str) -> str:
    for affix, instead in _AFFIXES:
        word = affix.sub(instead, word)
    return spell(word) if " " not in spell(word) else word


def _says_something(asked: Words) -> bool:
    return any(weight == 1.0 and word != _NEGATION for word, weight in asked.items())


@cache
def _listed(name: str) -> frozenset[str]:
    return frozenset(table(_TABLE)[name].split())
