"""A PDF page: embedded fonts, any text without surprises, colours.

Inter is the shop's font; DejaVu Sans replaces single characters that Inter lacks. Characters in neither are shown as □
(letters) or dropped (emoji). Text that a person typed is never read as markup.
"""

import re
import unicodedata
from collections.abc import Container
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Literal, cast

import segno
from fpdf import FPDF
from fpdf.bidi import BidiParagraph
from fpdf.enums import TextDirection
from fpdf.fonts import TTFFont

Colour = tuple[int, int, int]
Align = Literal["L", "R", "C"]
Size = Literal["A4", "half"]

INK: Colour = (17, 24, 39)
MUTED: Colour = (107, 114, 128)
HAIRLINE: Colour = (226, 230, 236)
SHADE: Colour = (246, 247, 249)
ACCENT: Colour = (16, 52, 92)
GREEN: Colour = (21, 101, 52)
WHITE: Colour = (255, 255, 255)

MARGIN = 18.0
BOTTOM = 26.0
WIDTH = 210 - 2 * MARGIN
RIGHT = MARGIN + WIDTH
LONGEST = 300
"""A text is cut to this many characters."""

_FONTS = Path(str(files("bot.papers") / "fonts"))
PAGES = "\u2007"
"""Placeholder for the number of pages; `printable` turns it into a space, so typed text can't contain it."""
_SIZES: dict[Size, tuple[float, float]] = {"A4": (210, 297), "half": (210, 148.5)}
"""Width and height in millimetres."""
_RIGHT_TO_LEFT = {"R", "AL"}


class Paper(FPDF):
    """A page in millimetres; the same calls give the same bytes."""

    def __init__(self, *, title: str, author: str, language: str, made_at: datetime, size: Size = "A4") -> None:
        super().__init__(format=_SIZES[size])
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(auto=False)
        self.c_margin = 0  # no padding within cells
        self.alias_nb_pages(PAGES)
        self.add_font("inter", "", _FONTS / "Inter-Regular.ttf")
        self.add_font("inter", "B", _FONTS / "Inter-SemiBold.ttf")
        self.set_title(title)
        self.set_author(author)
        self.set_lang(language)
        self.set_creation_date(made_at)

    def has_room(self, height: float) -> bool:
        """Whether this height is left above the footer."""
        return self.y + height <= self.h - BOTTOM

    def use_font(self, size: float, colour: Colour = INK, *, bold: bool = False) -> None:
        """Set the font size (points), colour and weight of the text that follows."""
        self.set_font("inter", "B" if bold else "", size)
        self.set_text_color(*colour)

    def put(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        size: float,
        colour: Colour = INK,
        *,
        bold: bool = False,
        height: float = 5,
        align: Align = "L",
        in_full: bool = False,
    ) -> None:
        """Write one line of text. Wider than `width`, it ends in an ellipsis, or is written smaller if `in_full`."""
        self.use_font(size, colour, bold=bold)
        text = self.printable(text)
        taken = self.get_string_width(text)
        if taken > width and in_full:
            self.set_font_size(size * width / taken)
        elif taken > width:
            text = self._shortened(text, width)
        self.set_xy(x, y)
        self.cell(width, height, text, align=align)

    def block(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        size: float,
        colour: Colour = INK,
        *,
        bold: bool = False,
        height: float = 4.6,
        most: int = 8,
    ) -> float:
        """Write text over at most `most` lines; returns the y below it."""
        self.use_font(size, colour, bold=bold)
        lines = self.lines(width, text, most=most)
        for number, line in enumerate(lines):
            self.set_xy(x, y + number * height)
            self.cell(width, height, line)
        return y + len(lines) * height

    def lines(self, width: float, text: str, *, most: int = 8) -> list[str]:
        """Wrap text to this width."""
        lines = cast(list[str], self.multi_cell(width, text=self.printable(text), dry_run=True, output="LINES"))
        if len(lines) > most:
            lines[most - 1] = self._shortened(lines[most - 1], width)
        return lines[:most]

    def rule(self, y: float, *, left: float = MARGIN) -> None:
        """Draw a hairline from `left` to the right margin."""
        self.set_draw_color(*HAIRLINE)
        self.set_line_width(0.2)
        self.line(left, y, self.w - MARGIN, y)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour, *, radius: float = 0) -> None:
        """Draw a filled rectangle, with rounded corners if there is a radius."""
        self.set_fill_color(*colour)
        self.rect(x, y, width, height, style="F", round_corners=radius > 0, corner_radius=radius)

    def qr(self, x: float, y: float, size: float, content: str) -> None:
        """Draw a QR code in vectors."""
        modules = segno.make(content, micro=False, error="m").matrix
        unit = size / len(modules)
        for row, cells in enumerate(modules):
            column = 0
            # Draw neighbours as one bar: seams between modules would show on screen.
            for dark, run in groupby(cells):
                length = len(list(run))
                if dark:
                    self.box(x + column * unit, y + row * unit, length * unit, unit, INK)
                column += length

    def printable(self, text: str) -> str:
        """The text as our fonts can show it: one line, in visual order."""
        composed = unicodedata.normalize("NFC", " ".join(text[: 4 * LONGEST].split()))
        composed = composed if len(composed) <= LONGEST else composed[: LONGEST - 1] + "…"
        known = "".join(map(self._drawable, composed))
        if any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in known):
            known = BidiParagraph(joined(known, self._fallback()), TextDirection.LTR).get_reordered_string()
        return " ".join(known.split())

    def _drawable(self, char: str) -> str:
        category = unicodedata.category(char)
        if category.startswith("C"):  # control, format (direction overrides), lone surrogate, private, unassigned
            return ""
        if ord(char) in self._characters_of("inter") or ord(char) in self._fallback():
            return char
        return "" if category in {"So", "Sk", "Mn", "Me"} else "□"

    def _fallback(self) -> Container[int]:
        if "dejavu" not in self.fonts:  # parsing it is slow, so only when it is needed
            family, style = self.font_family, self.font_style
            self.add_font("dejavu", "", _FONTS / "DejaVuSans.ttf")
            self.set_fallback_fonts(["dejavu"], exact_match=False)
            if family:
                self.set_font(family, style)
        return self._characters_of("dejavu")

    def _characters_of(self, family: str) -> Container[int]:
        return cast(TTFFont, self.fonts[family]).cmap

    def _shortened(self, text: str, width: float) -> str:
        while text and self.get_string_width(text + "…") > width:
            text = text[:-1]
        return text.rstrip() + "…"


def joined(text: str, drawn: Container[int]) -> str:
    """Shape Arabic letters by their neighbours, lam-alef as one character, without vowel marks.

    fpdf2 would need HarfBuzz for this; Unicode's presentation forms, where `drawn` has them, are enough for a name.
    """
    forms = _arabic_forms()
    letters = re.findall("ل[آأإا]|.", "".join(char for char in text if unicodedata.category(char) != "Mn"))
    shaped = []
    for before, letter, after in zip(["", *letters], letters, [*letters[1:], ""], strict=False):
        form = _FORM[
            "initial" in forms.get(before, {}) and "final" in forms.get(letter, {}),
            "initial" in forms.get(letter, {}) and "final" in forms.get(after, {}),
        ]
        char = forms.get(letter, {}).get(form, letter)
        shaped.append(char if len(char) == 1 and ord(char) in drawn else letter)
    return "".join(shaped)


_FORM = {
    (False, False): "isolated",
    (False, True): "initial",
    (True, True): "medial",
    (True, False): "final",
}
"""By whether a letter joins the one before and the one after it."""


@cache
def _arabic_forms() -> dict[str, dict[str, str]]:
    forms: dict[str, dict[str, str]] = {}
    for code in (*range(0xFB50, 0xFC00), *range(0xFE80, 0xFEFD)):
        form, *letters = unicodedata.decomposition(chr(code)).split() or [""]
        forms.setdefault("".join(chr(int(letter, 16)) for letter in letters), {})[form.strip("<>")] = chr(code)
    return forms
