"""A customer's dialogue from the greeting to the summary, as Telegram updates."""

from collections.abc import Mapping
from datetime import UTC, datetime

from conversations.state import State

MONDAY_8_AM = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""When the dialogues begin."""
BEFORE_THE_FIRST = State.from_json({}, now=MONDAY_8_AM).prompt
"""The number before that of a new chat's first question."""
DIALOGUE: tuple[str | int, ...] = (
    "halo",
    "mau pasang speaker di avanza 2018 besok jam 10",
    "berapa harga subwoofer?",
    "jam buka sampai jam berapa ya?",
    4,
    "kembali",
    "lanjut",
    "081234567890",
    "jam 11 aja",
    "mas dedi aja",
    2,
    5,
    1,
    "nama saya Budi Santoso",
    "di bengkel aja",
    "kalau garansinya berapa lama?",
)
"""A text, or the number of the option to tap in the newest question."""


def update(person: int, update_id: int, turn: int) -> Mapping[str, object]:
    """The Telegram update of a turn."""
    user = {"id": person, "is_bot": False, "first_name": "Sari", "last_name": "Dewi", "language_code": "id"}
    chat = {"id": person, "type": "private", "first_name": "Sari", "last_name": "Dewi"}
    message = {"message_id": turn + 1, "date": int(MONDAY_8_AM.timestamp()), "chat": chat}
    said = DIALOGUE[turn]
    if isinstance(said, str):
        return {"update_id": update_id, "message": message | {"from": user, "text": said}}
    # Each turn asks one question, so the newest question is the one after as many as the turns before this one.
    tap = {
        "id": str(update_id),
        "from": user,
        "message": message,
        "chat_instance": "1",
        "data": f"{BEFORE_THE_FIRST + turn}:{said}",
    }
    return {"update_id": update_id, "callback_query": tap}
