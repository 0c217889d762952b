"""Money at Midtrans for an order that isn't in the books: an admin notes what it was."""

from conversations.registry import action
from conversations.staff import jobs
from conversations.turn import Flow, Question, Turn, Who, Words, question
from core.messaging.messages import say
from core.payment import unknown_orders


@action("settle-unknown", who=Who.ADMIN)
async def settle_unknown(turn: Turn, order_id: str) -> None:
    turn.state.begin(UNKNOWN.name, about=order_id)


class WhatItWas(Words):
    name = "what_it_was"
    max_length = 300

    async def ask(self, turn: Turn) -> Question:
        return question(say("team.ask.what_it_was", order_id=turn.state.about))


async def _note(turn: Turn) -> Question:
    order_id, answers = turn.state.close()
    await unknown_orders.explain(turn.ctx, order_id or "", answers["what_it_was"])
    return await jobs.menu(turn, first=say("team.unknown_settled", order_id=order_id))


UNKNOWN = Flow("staff.unknown_order", (WhatItWas(),), _note, who=Who.ADMIN, strict=True)
