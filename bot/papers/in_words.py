"""Amounts in words, as papers show them."""

import re

from num2words import num2words

from core.money import Money


def in_words(amount: Money, language: str) -> str:
    if language != "id":
        return f"{num2words(amount, lang=language)} rupiah"
    words = num2words(amount, lang="id", to="currency")
    # num2words writes "seribu" only at the beginning; "dua puluh satu ribu" is already right.
    return re.sub(r"\b(juta|miliar|triliun|kuadriliun) satu ribu\b", r"\1 seribu", words)


def sentence(amount: Money, language: str) -> str:
    """The amount in words, capitalized."""
    words = in_words(amount, language)
    return words[:1].upper() + words[1:]
