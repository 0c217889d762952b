"""A customer's dialogue from the greeting to the summary, as Telegram updates."""

from collections.abc import Mapping

DIALOGUE: tuple[str | int, ...] = (
    "halo",
    "mau pasang speaker di avanza 2018 besok jam 10",
    4,
    "berapa harga subwoofer?",
    "lanjut",
    0,
    "jam buka sampai jam berapa ya?",
    "lanjut",
    "siapa saja",
    "kembali",
    "siapa saja",
    "nama saya Budi Santoso",
    "081234567890",
    "skip",
    "B 1234 XYZ",
    "di bengkel",
)
"""A text, or the number of the option to tap in the newest question."""


def update(person: int, update_id: int, turn: int) -> Mapping[str, object]:
    """The Telegram update of a turn."""
    user = {"id": person, "is_bot": False, "first_name": "Sari", "last_name": "Dewi", "language_code": "id"}
    chat = {"id": person, "type": "private", "first_name": "Sari", "last_name": "Dewi"}
    message = {"message_id": turn + 1, "date": 1_795_000_000, "chat": chat}
    said = DIALOGUE[turn]
    if isinstance(said, str):
        return {"update_id": update_id, "message": message | {"from": user, "text": said}}
    # Each turn asks one question, so the newest question has the number of turns before this one.
    tap = {"id": str(update_id), "from": user, "message": message, "chat_instance": "1", "data": f"{turn}:{said}"}
    return {"update_id": update_id, "callback_query": tap}
