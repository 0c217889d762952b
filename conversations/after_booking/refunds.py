"""The bank account for a refund: bank, number and holder in the customer's words, confirmed once."""

import re

from conversations import actions
from conversations.registry import action
from conversations.turn import Flow, Question, Step, Turn, Who, YesNo, question
from core import payment
from core.db.tables import Refund
from core.messaging.messages import Option, say
from core.refusals import AlreadySentBack
from core.states import RefundState

MAX_LENGTH = 200
_NUMBER = re.compile(r"\d(?:[ .-]?\d){5,}")
_MIN_LETTERS = 5
"""Fewer can't name a bank and a holder."""


@action("refund", who=Who.CUSTOMER)
async def ask_account(turn: Turn, key: str) -> None:
    """Begin to ask for a bank account; raises `AlreadySentBack`."""
    if (await _refund(turn, key)).state is not RefundState.BY_HAND:
        raise AlreadySentBack
    turn.state.begin(ACCOUNT.name, about=key)


async def begins_with_account(turn: Turn) -> bool:
    """Whether the message is a bank account that a refund needs; the flow then begins by confirming it."""
    words = _account(turn.incoming.text or "")
    waiting = await payment.refund_without_account(turn.session, turn.contact.customer_id) if words else None
    if waiting is None:
        return False
    turn.state.begin(ACCOUNT.name, about=waiting.key)
    turn.state.put(Account.name, words)
    return True


class Account(Step):
    name = "account"
    free_text = True
    own_numbers = True
    drops = ("account_right",)

    async def ask(self, turn: Turn) -> Question:
        return question(say("refund.ask", amount=(await _refund(turn, turn.state.about or "")).amount))

    def parse(self, turn: Turn, text: str) -> str | None:
        return _account(text)


class AccountRight(YesNo):
    """Confirms the account, since a transfer to a wrong one can't be undone."""

    name = "account_right"

    async def ask(self, turn: Turn) -> Question:
        amount = (await _refund(turn, turn.state.about or "")).amount
        return question(
            say("refund.right", amount=amount, account=turn.state.get("account")),
            options=[Option("yes", say("option.account_right")), Option("no", say("option.account_wrong"))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        if option == "yes":
            turn.state.put(self.name, True)
        else:
            turn.state.drop("account")
        return True


async def _finish(turn: Turn) -> Question:
    key, answers = turn.state.close()
    await _refund(turn, key)
    await payment.set_refund_account(turn.ctx, key, answers["account"])
    return actions.menu(turn, say("refund.account_noted"))


def _account(text: str) -> str | None:
    """The text if it can be an account: a number, and letters for a bank and a holder."""
    words = " ".join(text.split())
    if len(words) > MAX_LENGTH or not _NUMBER.search(words) or sum(map(str.isalpha, words)) < _MIN_LETTERS:
        return None
    return words


async def _refund(turn: Turn, key: str) -> Refund:
    """This customer's refund; raises `NotFound` for anybody else's."""
    refund, booking = await payment.load_refund(turn.session, key)
    await turn.own_booking(booking.code)
    return refund


ACCOUNT = Flow("refund", (Account(), AccountRight()), _finish, strict=True)
