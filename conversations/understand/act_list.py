"""All acts of a line in its order, and the words that none of them used."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from typing import Any

from conversations.understand.acts import Act, DialogueAct
from conversations.understand.intents import Topic
from conversations.understand.reactions import Reaction, reactions_in, smalltalk_in
from conversations.understand.said import Said
from conversations.understand.spelling import Line, Span, table
from conversations.understand.stances import Stance

WITHOUT_TOPIC = frozenset({Act.GREET, Act.THANK})


def acts_of(
    text: str,
    line: Line,
    *,
    topics: Sequence[Topic],
    wanted: Sequence[Said],
    unwanted: Sequence[Said],
    stances: Sequence[Stance],
    correction: Span | None,
    asked: str | None,
) -> list[Reaction]:
    """The acts, each with its characters in the text."""
    corrected = [said for said in wanted if _corrects(said, correction)] or (list(wanted) if correction else [])
    found = [
        *reactions_in(text, line, asked),
        *(_topic(text, topic) for topic in topics),
        *(_value(text, said, Act.CORRECT if said in corrected else Act.INFORM) for said in wanted),
        *(_value(text, said, Act.EXCLUDE) for said in unwanted),
        *(each for stance in stances for each in _stance(text, stance)),
    ]
    found = found or list(smalltalk_in(text, line))
    return sorted(found, key=lambda each: each[1])


def distinct(found: Sequence[Reaction]) -> tuple[DialogueAct, ...]:
    """Each act once: "tf bca" names one method."""
    first: dict[tuple[Any, ...], DialogueAct] = {}
    for act, _ in found:
        first.setdefault((act.act, act.slot, act.topic, str(act.value)), act)
    return tuple(first.values())


def rest_of(text: str, typed: Line, spans: Iterable[Span]) -> tuple[str, ...]:
    """The words that no act used, as typed; without small words and signs."""
    used = list(spans)
    return tuple(
        text[token.start : token.end]
        for token in typed
        if token.raw
        and (token.raw.isalnum() or not token.raw.isascii())
        and token.text not in small_words()
        and token.raw not in small_words()
        and not any(start <= token.start < end for start, end in used)
    )


def _topic(text: str, topic: Topic) -> Reaction:
    name = None if topic.act in WITHOUT_TOPIC else topic.intent.value
    return DialogueAct(topic.act, text[slice(*topic.span)], topic=name), topic.span


def _value(text: str, said: Said, act: Act) -> Reaction:
    value = said.value[1] if said.slot == "model" else said.value
    return DialogueAct(act, text[slice(*said.span)], slot=said.slot, value=_plain(value)), said.span


def _stance(text: str, stance: Stance) -> Iterator[Reaction]:
    for slot in stance.slots or (None,):
        yield DialogueAct(stance.act, text[slice(*stance.span)], slot=slot), stance.span


def _corrects(said: Said, correction: Span | None) -> bool:
    """Whether a value stands in or after the words of a correction."""
    return correction is not None and said.span[1] > correction[0]


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, StrEnum) else value


@cache
def small_words() -> frozenset[str]:
    return frozenset(str(table("small_words.yaml")["words"]).split())
