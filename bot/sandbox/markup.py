"""Formatted text as the apps show it: Telegram's HTML and WhatsApp's markup, as plain text and as safe HTML."""

import html
import re
from dataclasses import dataclass, field
from typing import Any

URL = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)]")


class CantParse(ValueError):
    """Telegram can't parse the entities; the message is Telegram's."""


@dataclass
class Parsed:
    """A parsed text: without markup, as safe HTML, and as Telegram's entities (offsets in UTF-16 units)."""

    text: str = ""
    html: str = ""
    entities: list[dict[str, Any]] = field(default_factory=list)


def plain(text: str) -> Parsed:
    """Parse text that has no markup; URLs become links."""
    return Parsed(text, _linked(text))


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, as Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


TELEGRAM_TAGS = {
    "b": "bold", "strong": "bold",
    "i": "italic", "em": "italic",
    "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
    "code": "code", "pre": "pre", "blockquote": "blockquote", "tg-spoiler": "spoiler", "a": "text_link",
}  # fmt: skip
"""Entity type by HTML tag: https://core.telegram.org/bots/api#html-style"""
SHOWN_AS = {
    "bold": "b", "italic": "i", "underline": "u", "strikethrough": "s", "code": "code", "pre": "pre",
    "blockquote": "blockquote", "spoiler": "span", "text_link": "a",
}  # fmt: skip
_TOKEN = re.compile(r"<(/?)([^\s>]*)([^>]*)(>?)|&(lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")


@dataclass(frozen=True, slots=True)
class _Open:
    tag: str
    entity: str
    offset: int
    url: str | None


def telegram_html(source: str) -> Parsed:
    """Parse Telegram's HTML parse mode; raises CantParse where Telegram does."""
    parsed, stack, position = Parsed(), list[_Open](), 0
    for token in _TOKEN.finditer(source):
        _write(parsed, source[position : token.start()], stack)
        position = token.end()
        if token[5]:
            _write(parsed, html.unescape(token[0]), stack)
        elif token[1]:
            _close(parsed, stack, token, _bytes(source, token.start()))
        else:
            _open(parsed, stack, token, _bytes(source, token.start()))
    _write(parsed, source[position:], stack)
    if stack:
        raise CantParse(f'Can\'t find end tag corresponding to start tag "{stack[-1].tag}"')
    return parsed


def _open(parsed: Parsed, stack: list[_Open], token: re.Match[str], offset: int) -> None:
    tag = token[2].lower()
    if not token[3] and not token[4]:
        raise CantParse(f"Unclosed start tag at byte offset {offset}")
    entity = TELEGRAM_TAGS.get(tag)
    if tag == "span":
        entity = "spoiler" if "tg-spoiler" in token[3] else None
    if entity is None:
        raise CantParse(f'Unsupported start tag "{tag}" at byte offset {offset}')
    if not token[4]:
        raise CantParse(f"Unclosed start tag at byte offset {offset}")
    href = _HREF.search(token[3])
    url = html.unescape(next(filter(None, href.groups()), "")) if href else None
    stack.append(_Open(tag, entity, utf16_length(parsed.text), url))
    parsed.html += _start_tag(entity, url)


def _close(parsed: Parsed, stack: list[_Open], token: re.Match[str], offset: int) -> None:
    tag = token[2].lower()
    if not stack:
        raise CantParse(f"Unexpected end tag at byte offset {offset}")
    opened = stack.pop()
    if tag not in ("", opened.tag):
        raise CantParse(f'Unmatched end tag at byte offset {offset}, expected "</{opened.tag}>", found "</{tag}>"')
    parsed.html += f"</{SHOWN_AS[opened.entity]}>"
    entity = {"type": opened.entity, "offset": opened.offset, "length": utf16_length(parsed.text) - opened.offset}
    if entity["length"] and (opened.entity != "text_link" or opened.url):
        parsed.entities.append(entity | ({"url": opened.url} if opened.url else {}))


def _start_tag(entity: str, url: str | None) -> str:
    if entity == "text_link":
        safe = url if url and re.match(r"(https?|tg)://", url) else ""
        return f'<a href="{html.escape(safe)}" target="_blank" rel="noopener">'
    return '<span class="spoiler">' if entity == "spoiler" else f"<{SHOWN_AS[entity]}>"


def _write(parsed: Parsed, text: str, stack: list[_Open]) -> None:
    parsed.text += text
    inside_link = any(opened.entity == "text_link" for opened in stack)
    parsed.html += html.escape(text) if inside_link else _linked(text)


def _bytes(source: str, index: int) -> int:
    return len(source[:index].encode("utf-8", "surrogatepass"))


_MARKS = {"*": "b", "_": "i", "~": "s", "```": "code"}
_MARKED = re.compile(URL.pattern + r"|(?<!\w)(```|[*_~])(?=\S)(.+?)(?<=\S)\1(?!\w)", re.DOTALL)


def whatsapp(source: str) -> Parsed:
    """Parse WhatsApp's *bold*, _italic_, ~struck~ and ```code```; malformed markup stays as typed."""
    text, shown, position = "", "", 0
    for found in _MARKED.finditer(source):
        if found[1] is None or ("\n" in found[2] and found[1] != "```"):
            continue  # a link keeps its underscores; markup doesn't span lines
        inner = plain(found[2]) if found[1] == "```" else whatsapp(found[2])
        before = source[position : found.start()]
        tag = _MARKS[found[1]]
        text += before + inner.text
        shown += f"{_linked(before)}<{tag}>{inner.html}</{tag}>"
        position = found.end()
    return Parsed(text + source[position:], shown + _linked(source[position:]))


def _linked(text: str) -> str:
    shown, position = "", 0
    for found in URL.finditer(text):
        link = html.escape(found[0])
        shown += html.escape(text[position : found.start()])
        shown += f'<a href="{link}" target="_blank" rel="noopener">{link}</a>'
        position = found.end()
    return shown + html.escape(text[position:])
