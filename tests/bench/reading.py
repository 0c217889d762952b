"""The time to understand each line of the tests, as a running server does."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from dialogue import MONDAY_8_AM
from served import FILES, SHOP

from conversations.understand import understand
from conversations.understand.lexicon import Lexicon
from core.catalogue.csv_files import as_catalogue, read

LINES = Path(__file__).parents[1] / "conversations" / "understand" / "lines"
TIMES = 5


def measure() -> tuple[Sequence[float], str]:
    """The median seconds per line, and the slowest line."""
    rows = (row for file in sorted(LINES.glob("*.jsonl")) for row in file.read_text("utf-8").splitlines())
    lines = [json.loads(row)["text"] for row in rows]
    lexicon = Lexicon.of(as_catalogue(read(FILES)))
    for line in lines:
        _seconds(line, lexicon)
    spent = {line: median(_seconds(line, lexicon) for _ in range(TIMES)) for line in lines}
    return list(spent.values()), max(spent, key=spent.__getitem__)


def _seconds(line: str, lexicon: Lexicon) -> float:
    begin = perf_counter()
    understand(line, lexicon, now=SHOP.local(MONDAY_8_AM), shop=SHOP)
    return perf_counter() - begin
