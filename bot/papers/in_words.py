"""Amounts in words, as papers have them."""

import re

from num2words import num2words

from core.money import Money


def in_words(amount: Money, language: str) -> str:
    """An amount of rupiah in words."""
    if language != "id":
        return f"{num2words(amount, lang=language)} rupiah"
    words = num2words(amount, lang="id", to="currency")
    # num2words only knows "seribu" at the beginning; "dua puluh satu ribu" is right as it is.
    return re.sub(r"\b(juta|miliar|triliun|kuadriliun) satu ribu\b", r"\1 seribu", words)


def sentence(amount: Money, language: str) -> str:
    """The same with a capital at the beginning."""
    words = in_words(amount, language)
    return words[:1].upper() + words[1:]
