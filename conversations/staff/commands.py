"""What staff type instead of tapping: "tugas besok", "mulai BK-7F3K2Q", "stok JBL", in either language."""

import re

from conversations.understand.spelling import phrases

TABLE = "staff.yaml"
_CODE = re.compile(r"\bbk[- ]?([0-9a-z]{6,8})\b", re.IGNORECASE)


def read_action(text: str) -> str | None:
    """The action that a whole message names, with a booking's code or search words; None for anything else."""
    words = " ".join(text.casefold().lstrip("/").split())
    if code := _CODE.search(words):
        verb = " ".join((words[: code.start()] + words[code.end() :]).split())
        name = phrases(TABLE, "of_a_job").get(verb) if verb else "job"
        return f"{name}:BK-{code[1].upper()}" if name else None
    if words in phrases(TABLE, "plain"):
        return phrases(TABLE, "plain")[words]
    first, _, rest = words.partition(" ")
    name = phrases(TABLE, "with_words").get(first)
    return f"{name}:{rest}" if name and rest else None


def is_hand_back(text: str) -> bool:
    """Whether an admin ends a takeover; only the exact phrase, since any other text goes to the customer."""
    return text.casefold().strip(" .!/") in phrases(TABLE, "taken_over")
