"""Lines as customers type them, with exactly what must be understood of each.

given.jsonl came with the task. held_out.jsonl was written before the vocabulary; fresh, traps, more and blind after the
readers were finished, and each was measured before anything was tuned on it.
"""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from demo_catalogue import DEMO

from conversations.understand import understand
from conversations.understand.intents import Intent
from conversations.understand.lexicon import Lexicon
from core.catalogue.snapshot import CATEGORIES
from core.shop import Shop

LINES = Path(__file__).parent / "lines"
ROWS = [json.loads(line) for file in sorted(LINES.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    """Built once, as the program does."""
    return Lexicon.of(DEMO)


@pytest.mark.parametrize("row", ROWS, ids=[row["text"] for row in ROWS])
def test_line_is_understood(row: dict[str, str], lexicon: Lexicon, now: datetime, shop: Shop) -> None:
    expected = {key: value for key, value in row.items() if key != "text"}

    assert understand(row["text"], lexicon, now=now, shop=shop).as_json() == expected


def test_every_intent_and_category_has_lines() -> None:
    intents = Counter(row.get("intent") for row in ROWS)
    categories = Counter(category for row in ROWS for category in row.get("categories", ()))

    assert all(intents[intent] >= 4 for intent in Intent), intents
    assert all(categories[category] >= 4 for category in CATEGORIES), categories
