"""Where a customer wants a refund transferred to: bank, number and holder, in their own words, read back once."""

import re
from collections.abc import Awaitable, Callable, Mapping

from conversations import actions
from conversations.turn import Flow, Question, Step, Turn, question
from conversations.understand.answers import read_yes_no
from core.db.tables import Refund
from core.messaging.messages import Option, say
from core.payment import refunds
from core.refusals import AlreadySentBack
from core.states import RefundState

LONGEST = 200
_NUMBER = re.compile(r"\d(?:[ .-]?\d){5,}")
_LETTERS = 5
"""Fewer can't be a bank and a holder."""


async def account(turn: Turn, key: str) -> None:
    """Begin to ask for a bank account; raises `NotFound`, `AlreadySentBack`."""
    if (await _refund(turn, key)).state is not RefundState.BY_HAND:
        raise AlreadySentBack
    turn.state.begin(ACCOUNT.name, about=key)


async def told(turn: Turn) -> bool:
    """Whether the message names an account although nobody tapped: the flow begins, with that answer to be confirmed."""
    words = _account(turn.incoming.text or "")
    waiting = await refunds.without_account(turn.session, turn.contact.customer_id) if words else None
    if waiting is None:
        return False
    turn.state.begin(ACCOUNT.name, about=waiting.key)
    turn.state.put(Account.name, words)
    return True


class Account(Step):
    """The bank account, as the customer writes it."""

    name = "account"
    free_text = True
    own_numbers = True
    drops = ("account_right",)

    async def ask(self, turn: Turn) -> Question:
        """Type it."""
        return question(say("refund.ask", amount=(await _refund(turn, turn.state.about or "")).amount))

    async def read(self, turn: Turn, text: str) -> bool:
        """Words with an account's number among them."""
        words = _account(text)
        if words is not None:
            turn.state.put(self.name, words)
        return words is not None


class AccountRight(Step):
    """Whether it was written right: money that went to a stranger doesn't come back."""

    name = "account_right"

    async def ask(self, turn: Turn) -> Question:
        """Read it back."""
        amount = (await _refund(turn, turn.state.about or "")).amount
        return question(
            say("refund.right", amount=amount, account=turn.state.get("account")),
            options=[Option("yes", say("option.account_right")), Option("no", say("option.account_wrong"))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        """Right, or to be written again."""
        if option == "yes":
            turn.state.put(self.name, True)
        else:
            turn.state.drop("account")
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """Yes or no."""
        right = read_yes_no(text)
        return False if right is None else await self.choose(turn, "yes" if right else "no")


async def _finish(turn: Turn) -> Question:
    key, words = turn.state.about or "", turn.state.get("account")
    turn.state.begin(None)
    await _refund(turn, key)
    await refunds.send_to(turn.ctx, key, words)
    return actions.menu(turn, say("refund.account_noted"))


def _account(text: str) -> str | None:
    """The words, if they can be an account: a number, and letters for a bank and a holder."""
    words = " ".join(text.split())
    if len(words) > LONGEST or not _NUMBER.search(words) or sum(map(str.isalpha, words)) < _LETTERS:
        return None
    return words


async def _refund(turn: Turn, key: str) -> Refund:
    """A refund of this customer's own; raises `NotFound`."""
    refund, booking = await refunds.load(turn.session, key)
    await turn.own_booking(booking.code)
    return refund


ACCOUNT = Flow("refund", (Account(), AccountRight()), _finish, strict=True)

ACTIONS: Mapping[str, Callable[[Turn, str], Awaitable[Question | None]]] = {"refund": account}
