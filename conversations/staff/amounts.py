"""Rupiah as staff type them; ambiguous amounts are rejected."""

import re
from decimal import Decimal

_PLAIN = re.compile(r"(?:rp|idr)?\.?\s*(\d{4,10}|\d{1,3}(?:\.\d{3}){1,3}|\d{1,3}(?:,\d{3}){1,3})(?:,-|,00|\.00)?")
_SCALED = re.compile(r"(?:rp|idr)?\.?\s*(\d{1,6}(?:[.,]\d{1,2})?)\s*(rb|ribu|rebu|k|jt|juta)\.?(?:\s*rupiah)?")
_SCALES = {"rb": 1_000, "ribu": 1_000, "rebu": 1_000, "k": 1_000, "jt": 1_000_000, "juta": 1_000_000}


def read_rupiah(text: str) -> int | None:
    """150rb, 150.000, Rp 150.000,-, 1,5 juta; None for 150 (rupiah or thousands?) and 1.500rb (1,5 or 1500 thousand?)."""
    words = " ".join(text.casefold().removesuffix("rupiah").split())
    if plain := _PLAIN.fullmatch(words):
        return int(re.sub(r"[.,]", "", plain[1]))
    scaled = _SCALED.fullmatch(words)
    if scaled is None:
        return None
    amount = Decimal(scaled[1].replace(",", ".")) * _SCALES[scaled[2]]
    return int(amount)
