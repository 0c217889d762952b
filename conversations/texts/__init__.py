"""Every sentence a person reads in a chat or an e-mail: YAML files of keys per language, and how they are filled in.

    id/*.yaml  Indonesian, the first language          en/*.yaml  English, the same keys and parameters

A template names parameters as `{total:rp}`; the word after the colon is the format:
`rp` money, `day` a long date, `date` a short one, `clock` a time of day, `when` day and time, `inch` a size ("6.5",
"6x9"), none: as it is.
`<b>` and `</b>` are the only markup; a `Style` gives the channel's own and how to escape.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

import yaml
from babel.dates import format_date
from babel.numbers import format_compact_decimal, format_currency

from core.messaging.messages import Say

LANGUAGES = ("id", "en")


@dataclass(frozen=True, slots=True)
class Style:
    escape: Callable[[str], str]
    bold: tuple[str, str]


PLAIN = Style(escape=lambda text: text, bold=("", ""))
"""No markup at all: button titles, e-mail text, tests."""


def render(text: Say | str, language: str, style: Style = PLAIN) -> str:
    """A text in a language; a plain string (a part's name) is only escaped.

    Raises `KeyError` for an unknown key or a missing parameter.
    """
    if isinstance(text, str):
        return style.escape(text)
    pieces = []
    opening, closing = style.bold
    for literal, name, spec, _ in _parsed(language, text.key):
        # Bold marks are taken out before escaping and put back as the channel's own.
        bold_ends = (part.split("<b>") for part in literal.split("</b>"))
        pieces.append(closing.join(opening.join(map(style.escape, texts)) for texts in bold_ends))
        if name is not None:
            pieces.append(_write(text.params[name], spec or "", language, style))
    return "".join(pieces)


def money(amount: int) -> str:
    """Rp1.200.000, the same in both languages."""
    return format_currency(amount, "IDR", "¤#,##0", locale="id_ID", currency_digits=False)


def money_in_short(amount: int, language: str) -> str:
    """Rp1,2 jt, for a chart: at most three digits."""
    rounded = round(amount, 3 - len(str(abs(amount)))) if abs(amount) > 999 else amount
    short = format_compact_decimal(rounded, locale=language, fraction_digits=1)
    return f"−Rp{short[1:]}" if rounded < 0 else f"Rp{short}"


@cache
def templates(language: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for file in sorted(files(__name__).joinpath(language).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            for key, template in (yaml.safe_load(file.read_text("utf-8")) or {}).items():
                if key in found:
                    raise ValueError(f"text {key} is defined twice in {language}")
                found[key] = template.rstrip("\n")
    return found


@cache
def _parsed(language: str, key: str) -> tuple[tuple[str, str | None, str | None, str | None], ...]:
    return tuple(Formatter().parse(templates(language)[key]))


def _write(value: Any, spec: str, language: str, style: Style) -> str:
    match value, spec:
        case None, _:
            return ""
        case Say(), _:
            return render(value, language, style)
        case list() | tuple(), _:
            return "\n".join(_write(item, spec, language, style) for item in value)
        case _, "rp":
            return money(value)
        case str(), "status" | "instead":
            return render(Say(f"{spec}.{value}", {}), language, style)
        case str(), "inch":
            return value.replace("x", "×").replace(".", "," if language == "id" else ".")
        case datetime(), "clock":
            return f"{value:%H:%M}"
        case datetime(), "when":
            return f"{format_date(value, 'EEE, d MMM', locale=language)} {value:%H:%M}"
        case date(), "day":
            return format_date(value, "EEEE, d MMMM y", locale=language)
        case date(), "date":
            return format_date(value, "EEE, d MMM", locale=language)
        case _, "":
            return style.escape(str(value))
        case _:
            raise ValueError(f"no way to write {type(value).__name__} as {spec!r}")
