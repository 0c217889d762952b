"""Additional costs, which the customer agrees to or refuses, and cash received; amounts as staff type them."""

import re
from decimal import Decimal

from conversations.registry import action
from conversations.staff import jobs
from conversations.turn import SKIPPED, Flow, Question, Step, Turn, Who, Words, YesNo, question
from core import work
from core.messaging.messages import Option, say
from core.money import Money
from core.refusals import AlreadyPaid

_PLAIN = re.compile(r"(?:rp|idr)?\.?\s*(\d{4,10}|\d{1,3}(?:\.\d{3}){1,3}|\d{1,3}(?:,\d{3}){1,3})(?:,-|,00|\.00)?")
_SCALED = re.compile(r"(?:rp|idr)?\.?\s*(\d{1,6}(?:[.,]\d{1,2})?)\s*(rb|ribu|rebu|k|jt|juta)\.?(?:\s*rupiah)?")
_SCALES = {"rb": 1_000, "ribu": 1_000, "rebu": 1_000, "k": 1_000, "jt": 1_000_000, "juta": 1_000_000}


def read_rupiah(text: str) -> int | None:
    """150rb, 150.000, Rp 150.000,-, 1,5 juta; None for 150 (rupiah or thousands?) and 1.500rb (1,5 or 1500 thousand?)."""
    words = " ".join(text.casefold().removesuffix("rupiah").split())
    if plain := _PLAIN.fullmatch(words):
        return int(re.sub(r"[.,]", "", plain[1]))
    scaled = _SCALED.fullmatch(words)
    return int(Decimal(scaled[1].replace(",", ".")) * _SCALES[scaled[2]]) if scaled else None


@action("cost", who=Who.STAFF)
async def cost(turn: Turn, code: str) -> None:
    await turn.job(code)
    turn.state.begin(COST.name, about=code)


class What(Words):
    """What it is for, as the customer reads it."""

    name = "what"
    text = "team.ask.what"
    max_length = 200


class HowMuch(Step):
    name = "how_much"
    text = "team.ask.how_much"
    own_numbers = True

    def parse(self, turn: Turn, text: str) -> int | None:
        amount = read_rupiah(text)
        return amount if amount and amount <= work.MAX_COST else None


class Photo(Step):
    name = "photo"
    text = "team.ask.photo"
    skips = True
    takes_photos = True

    def parse(self, turn: Turn, text: str) -> str | None:
        return turn.incoming.photos[0] if turn.incoming.photos else None


class Sure(YesNo):
    name = "sure"

    async def ask(self, turn: Turn) -> Question:
        what, amount = turn.state.get("what"), turn.state.get("how_much")
        return question(
            say("team.ask.sure", description=what, amount=amount),
            options=[Option("yes", say("team.option.send")), Option("no", say("option.no"))],
        )


async def _add_cost(turn: Turn) -> Question:
    code, answers = turn.state.close()
    if not answers["sure"]:
        return await jobs.card(turn, code, say("team.cost_dropped"))
    booking = await turn.job(code)
    await work.add_cost(
        turn.ctx,
        booking,
        answers["what"],
        answers["how_much"],
        agreed=False,
        photo=None if answers["photo"] == SKIPPED else answers["photo"],
        actor=turn.staff.name,
    )
    has_chat = booking.contact_id is not None
    asked = say("team.cost_sent") if has_chat else say("team.cost_unasked", phone=booking.phone or "-")
    return await jobs.card(turn, code, asked)


@action("cash", who=Who.STAFF)
async def cash(turn: Turn, code: str) -> None:
    """Begin to record cash; raises `AlreadyPaid`."""
    if not (await turn.job(code)).remaining:
        raise AlreadyPaid
    turn.state.begin(CASH.name, about=code)


class Received(Step):
    name = "received"
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
        remaining = await _remaining(turn)
        return question(
            say("team.ask.received", remaining=remaining),
            options=[Option("all", say("team.option.all", amount=remaining))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.put(self.name, await _remaining(turn))
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        amount = read_rupiah(text)
        if amount is None or not 1 <= amount <= await _remaining(turn):
            return False
        turn.state.put(self.name, amount)
        return True


async def _remaining(turn: Turn) -> Money:
    return (await turn.job(turn.state.about or "")).remaining


async def _receive_cash(turn: Turn) -> Question:
    code, answers = turn.state.close()
    amount = answers["received"]
    await work.receive_cash(turn.ctx, await turn.job(code), amount, actor=turn.staff.name)
    return await jobs.done(turn, code, say("team.cash_noted", amount=amount))


COST = Flow("staff.cost", (What(), HowMuch(), Photo(), Sure()), _add_cost, who=Who.STAFF, strict=True)
CASH = Flow("staff.cash", (Received(),), _receive_cash, who=Who.STAFF, strict=True)
