"""From a question to the message on the screen: its number, its page of options, and the remarks above it."""

from conversations.texts import render
from conversations.turn import Question, Turn
from core.messaging.messages import Message, Option, say

MAX_OPTIONS = 10
"""WhatsApp's lists hold ten entries; Telegram shows as many, so that both chats read alike."""
NEXT_PAGE = "page:next"


def present(turn: Turn, asking: Question) -> Message:
    """Number the question and remember its options, so that taps, numbers and labels can be read."""
    state = turn.state
    options = _page(turn, asking)
    state.asked = asking.asks
    state.prompt += 1
    state.shown = [(option.id, render(option.label, turn.contact.language)) for option in options]
    return Message(
        says=(*turn.remarks, *asking.says),
        options=options,
        prompt=state.prompt,
        link=asking.link,
        document=asking.document,
        wants=asking.wants,
        button=asking.button,
    )


def _page(turn: Turn, asking: Question) -> tuple[Option, ...]:
    every, always = tuple(asking.options), tuple(asking.always)
    if len(every) + len(always) <= MAX_OPTIONS:
        return every + always
    size = MAX_OPTIONS - len(always) - 1
    pages = -(-len(every) // size)
    first = (turn.state.page % pages) * size
    return (*every[first : first + size], Option(NEXT_PAGE, say("option.next_page")), *always)
