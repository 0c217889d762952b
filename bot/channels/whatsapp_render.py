"""A message for WhatsApp through Twilio: text, and within the 24 hours buttons or a list.

    up to 3 short options            quick-reply       the id of a button is `Message.tap`
    up to 10 options                 list-picker       the same ids; the hint is an entry's second line
    a link and no options            call-to-action    otherwise the link is a line of the text
    more options, or no session      numbered text

Buttons and lists need a Content, made beforehand. Its ids, titles, entries and body may be variables
(https://www.twilio.com/docs/content/twiliolist-picker, …/twilio-quick-reply) without line ends
(https://www.twilio.com/docs/api/errors/21656). So each Content is only a shape, with one variable per line,
button or entry: a few dozen Contents serve all messages, and none holds personal data.
Limits: text 1600; with buttons, a list or a file 1024; button 20; entry 24, its second line 72.
"""

import json
import re
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from bot.channels.text_fitting import distinct, numbered, one_line, shorten, split, upright, width
from conversations.texts import Style, render
from core.messaging.messages import Link, Message, Say, say

LONGEST_TEXT = 1600
LONGEST_BODY = 1024
LONGEST_LINK_BODY = 640
"""Above a link button: 640 in some of Twilio's pages, 1024 in others."""
MOST_BUTTONS = 3
LONGEST_BUTTON = 20
MOST_ENTRIES = 10
LONGEST_ENTRY = 24
LONGEST_DESCRIPTION = 72
MOST_LINES = 60
"""Of an interactive body: a Content may have 100 variables, and a list of ten needs 31 of them."""

LONGEST_VARIABLE = 800
"""Of an approved template: with its own words it must fit WhatsApp's 1024."""

# WhatsApp formats *this*, _this_, ~this~ and `this` if the mark is at the edge of a word, and quotes after ">".
_MARK = re.compile(r"(?<![^\W_])[*_~`]|[*_~`](?![^\W_])|^>", re.MULTILINE)
_LOOKALIKE = {"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ", ">": "›"}
# "{{" would begin a placeholder of a Content.
_BRACES = re.compile(r"\{(?=\{)")


def _neutral(text: str) -> str:
    return _BRACES.sub("❴", upright(text))


def _unmarked(text: str) -> str:
    return _MARK.sub(lambda mark: _LOOKALIKE[mark[0]], _neutral(text))


WHATSAPP = Style(escape=_unmarked, bold=("*", "*"))
TITLE = Style(escape=_neutral, bold=("", ""))
"""For buttons and entries, which have no markup."""


@dataclass(frozen=True, slots=True)
class Text:
    """A plain message; `file`: with the outgoing message's file."""

    body: str
    file: bool = False


@dataclass(frozen=True, slots=True)
class Interactive:
    """A message by a Content."""

    types: dict[str, Any]
    variables: dict[str, str]
    body: str
    """The text above the buttons."""

    @property
    def name(self) -> str:
        """The Content's friendly name, which depends on its shape alone."""
        return f"bengkel_{sha256(json.dumps(self.types, sort_keys=True).encode()).hexdigest()[:20]}"


def parts(message: Message, language: str) -> list[Text | Interactive]:
    """The messages that show a message within the 24 hours."""
    if 0 < len(message.options) <= MOST_ENTRIES:
        before, body = _before_and_body(_text(message, language), LONGEST_BODY)
        file = [Text("", file=True)] if message.document else []
        return [*file, *map(Text, before), _menu(message, language, body)]
    if message.link and not message.options and not message.document:
        before, body = _before_and_body(_says(message, language), LONGEST_LINK_BODY)
        return [*map(Text, before), _link_button(message.link, language, body)]
    if message.document:
        *before, caption = split(_text(message, language), LONGEST_BODY, WHATSAPP.bold)
        return [*map(Text, before), Text(caption, file=True)]
    return [Text(piece or "…") for piece in split(_text(message, language), LONGEST_TEXT, WHATSAPP.bold)]


def plain_parts(message: Message, language: str) -> list[Text]:
    """The same without buttons and lists, for when Contents can't be had; a file comes with the last text."""
    *before, last = split(_text(message, language, most_options=0), LONGEST_BODY, WHATSAPP.bold)
    return [*map(Text, before), Text(last or "…", file=message.document is not None)]


def template_text(message: Message, language: str) -> str:
    """The one variable of an approved template: the text without line ends and options."""
    return shorten(one_line(_text(replace(message, options=()), language)), LONGEST_VARIABLE)


def _says(message: Message, language: str) -> str:
    paragraphs = (render(text, language, WHATSAPP).strip() for text in message.says)
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _text(message: Message, language: str, *, most_options: int = MOST_ENTRIES) -> str:
    """The paragraphs, the link, and the options if there are more than a list takes."""
    paragraphs = [_says(message, language)]
    if message.link:
        label = render(say("channel.link", label=message.link.label), language, WHATSAPP)
        paragraphs.append(f"{label}\n{message.link.url}")
    if len(message.options) > most_options:
        paragraphs.append(numbered(message.options, language, WHATSAPP))
        paragraphs.append(render(say("channel.reply_number"), language, WHATSAPP))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _before_and_body(text: str, limit: int) -> tuple[list[str], str]:
    """The texts to be sent before, and the end of the text, with the question, for above the buttons."""
    *before, body = split(text, limit, WHATSAPP.bold)
    *lines, last = body.split("\n")
    if len(lines) >= MOST_LINES:
        before, body = [*before, "\n".join(lines)], last
    return before, body.strip() or "…"


@dataclass(frozen=True, slots=True)
class _Choice:
    id: str
    title: str
    description: str


def _choices(message: Message, language: str) -> list[_Choice]:
    """The options, shortened for a list."""
    labels = [_title(option.label, language) for option in message.options]
    titles, choices = distinct(labels, LONGEST_ENTRY), []
    for index, (option, label, title) in enumerate(zip(message.options, labels, titles, strict=True)):
        texts = ("" if label in title else label, _title(option.hint, language) if option.hint else "")
        description = shorten(" · ".join(filter(None, texts)), LONGEST_DESCRIPTION)
        choices.append(_Choice(message.tap(index), title, description))
    return choices


def _title(text: Say | str, language: str) -> str:
    return one_line(render(text, language, TITLE))


def _menu(message: Message, language: str, body: str) -> Interactive:
    shape, choices = _Shape(), _choices(message, language)
    lines = shape.put_lines(body)
    if len(choices) <= MOST_BUTTONS and all(
        width(each.title) <= LONGEST_BUTTON and not each.description for each in choices
    ):
        actions = [
            {"type": "QUICK_REPLY", "title": shape.put(each.title), "id": shape.put(each.id)} for each in choices
        ]
        return Interactive({"twilio/quick-reply": {"body": lines, "actions": actions}}, shape.variables, body)
    button = shape.put(shorten(_title(message.button or say("channel.open_list"), language), LONGEST_BUTTON))
    items = [
        {"item": shape.put(each.title), "id": shape.put(each.id)}
        | ({"description": shape.put(each.description)} if each.description else {})
        for each in choices
    ]
    return Interactive({"twilio/list-picker": {"body": lines, "button": button, "items": items}}, shape.variables, body)


def _link_button(link: Link, language: str, body: str) -> Interactive:
    """A button that opens a page; only the end of its URL may be a variable, and not its title."""
    shape, host = _Shape(), f"{urlsplit(link.url).netloc}/"
    lines = shape.put_lines(body)
    before, _, rest = link.url.partition(host)
    action = {
        "type": "URL",
        "title": shorten(_title(link.label, language) or host, LONGEST_BUTTON),
        "url": before + host + shape.put(rest) if rest else link.url,
    }
    return Interactive({"twilio/call-to-action": {"body": lines, "actions": [action]}}, shape.variables, body)


class _Shape:
    """Numbers the variables of a Content while it is built."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}

    def put(self, value: str) -> str:
        """Add a variable; returns its placeholder."""
        number = str(len(self.variables) + 1)
        self.variables[number] = one_line(value)
        return "{{" + number + "}}"

    def put_lines(self, text: str) -> str:
        """Add a variable per line, since a variable may have no line ends; returns the placeholders."""
        return "\n".join(self.put(line) if line.strip() else "" for line in text.split("\n"))
