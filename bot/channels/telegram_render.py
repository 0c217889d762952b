"""A message for Telegram: HTML, and a keyboard under the last part.

    options, link          inline keyboard; a button's data is `Message.tap`
    wants                  reply keyboard with "send my number" or "send my location", the options below as plain keys

Telegram allows one kind of keyboard per message. Plain keys send their label, which is always accepted as an answer;
a link beside them becomes a line of text.
Limits: https://core.telegram.org/bots/api (text 4096, caption 1024, callback data 64 bytes, 100 buttons).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TypeVar

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from bot.channels.text_fitting import distinct, numbered, one_line, shorten, split, upright, width
from conversations.texts import Style, render
from core.messaging.messages import Message, Option, say

HTML = Style(escape=lambda text: escape(upright(text), quote=False), bold=("<b>", "</b>"))

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
LONGEST_LABEL = 60
MOST_BUTTONS = 100
ROW = 36
"""About how many letters fit in a row on a narrow phone."""

Button = TypeVar("Button", InlineKeyboardButton, KeyboardButton)
Keyboard = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove


@dataclass(frozen=True, slots=True)
class Part:
    """One call of the Bot API: `sendMessage`, or `sendDocument` with the text as its caption."""

    text: str
    keyboard: Keyboard | None = None
    document: bool = False


def parts(
    message: Message, language: str, *, keys_open: bool = False, again: bool = False, left: int | None = None
) -> list[Part]:
    """The calls that show a message; `keys_open`: whether the chat may have an open reply keyboard.

    `again`: the person may have the first of the `left` parts at the end already, so it says that it is sent again.
    """
    texts, keyboard = split(_text(message, language), LONGEST_TEXT, HTML.bold), _keyboard(message, language)
    if message.document and width(texts[-1]) <= LONGEST_CAPTION:
        shown = [*map(Part, texts[:-1]), Part(texts[-1], keyboard, document=True)]
    elif message.document:
        shown = [*map(Part, texts), Part("", keyboard, document=True)]
    else:
        shown = [*map(Part, texts[:-1]), Part(texts[-1] or "…", keyboard)]
    if again:
        at = len(shown) - min(left or len(shown), len(shown))
        shown[at] = _marked(shown[at], language)
    if keys_open and isinstance(keyboard, InlineKeyboardMarkup):
        # A message with an inline keyboard can't remove the reply keyboard, so another one does.
        return [Part(render(say("channel.keys_gone"), language, HTML), ReplyKeyboardRemove()), *shown]
    return shown


def _marked(part: Part, language: str) -> Part:
    """The part under "(sent again)", where there is room: another part would shift the parts that are left."""
    marked = "\n".join(filter(None, (render(say("channel.again"), language, HTML), part.text)))
    limit = LONGEST_CAPTION if part.document else LONGEST_TEXT
    return replace(part, text=marked) if width(marked) <= limit else part


def _text(message: Message, language: str) -> str:
    paragraphs = [render(text, language, HTML) for text in message.says]
    if len(message.options) > MOST_BUTTONS:
        paragraphs.append(numbered(message.options, language, HTML))
    if message.link and message.wants:
        label = render(say("channel.link", label=message.link.label), language, HTML)
        paragraphs.append(f"{label}\n{escape(message.link.url)}")
    return "\n\n".join(paragraph for paragraph in (each.strip() for each in paragraphs) if paragraph)


def _keyboard(message: Message, language: str) -> Keyboard:
    labels = [_label(option, language) for option in message.options]
    buttons = [] if len(labels) > MOST_BUTTONS else distinct(labels, LONGEST_LABEL)
    if wants := message.wants:
        words = render(say(f"channel.share_{wants}"), language)
        asked = KeyboardButton(words, request_contact=wants == "contact", request_location=wants == "location")
        keys = [[asked], *_rows([KeyboardButton(label) for label in buttons])]
        return ReplyKeyboardMarkup(keys, resize_keyboard=True, one_time_keyboard=True)
    rows = _rows([InlineKeyboardButton(label, callback_data=message.tap(i)) for i, label in enumerate(buttons)])
    if link := message.link:
        label = shorten(one_line(render(link.label, language)), LONGEST_LABEL)
        rows.append([InlineKeyboardButton(label or link.url, url=link.url)])
    return InlineKeyboardMarkup(rows) if rows else ReplyKeyboardRemove()


def _label(option: Option, language: str) -> str:
    """The label with its hint, which comes first where a narrow phone would cut it off."""
    label, hint = (upright(one_line(render(text, language))) if text else "" for text in (option.label, option.hint))
    if not hint:
        return label
    return f"{label} · {hint}" if width(label) + width(hint) + 3 <= ROW else f"{hint} · {label}"


def _rows(buttons: Sequence[Button]) -> list[list[Button]]:
    """Up to three short buttons in a row; Telegram makes all buttons of a row equally wide."""
    rows: list[list[Button]] = []
    for button in buttons:
        row: list[Button] = [*(rows[-1] if rows else ()), button]
        if 1 < len(row) <= 3 and len(row) * max(width(each.text) for each in row) <= ROW:
            rows[-1] = row
        else:
            rows.append([button])
    return rows
