"""Finer kinds of a topic: which trouble with paying it is, and the wish to get messages again."""

from conversations.understand.cues import find
from conversations.understand.spelling import tokenise

TABLE = "wishes.yaml"


def wants_messages_again(text: str) -> bool:
    """ "Mulai kirim lagi", by somebody who had stopped them."""
    return "messages_again" in _named(text)


def says_money_is_gone(text: str) -> bool:
    """ "Saldo kepotong", "sudah bayar kok belum masuk": not only that a link or a payment fails."""
    return bool({"money_gone", "paid_twice"} & _named(text))


def says_paid_twice(text: str) -> bool:
    return "paid_twice" in _named(text)


def _named(text: str) -> set[str]:
    return {found.rule.name for found in find(tokenise(text), TABLE)}
