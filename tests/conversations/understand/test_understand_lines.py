"""Lines as customers type them, with all that is to be understood of each and nothing more.

given.jsonl came with the task; held_out.jsonl was written before the vocabulary was; the others grew with it.
"""

import json
from datetime import datetime
from pathlib import Path

import pytest

from conversations.understand import Lexicon, understand
from core.shop import Shop

LINES = Path(__file__).parent / "lines"
ROWS = [json.loads(line) for file in sorted(LINES.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=[row["text"] for row in ROWS])
def test_a_line_means_what_its_writer_meant(
    row: dict[str, object], lexicon: Lexicon, now: datetime, shop: Shop
) -> None:
    expected = {key: value for key, value in row.items() if key not in {"text", "why"}}

    assert understand(str(row["text"]), lexicon, now=now, shop=shop).as_json() == expected
