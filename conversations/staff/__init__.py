"""Staff in the chat: a technician's jobs and an admin's desk, by buttons and by typed commands.

who.py      who is staff, whose job it is      desk.py     figures, pending bookings, assigning
menu.py     what the person may do             call_off.py cancelling with a reason
jobs.py     days, one job, its single taps     writing.py  a message to a customer
notes.py    words and photos                   stock.py    look up, correct
costs.py    additional costs                   closing.py  close a day
cash.py     money in the hand                  takeover.py a conversation without the bot
no_show.py  who never came                     commands.py reads typed commands
amounts.py  reads rupiah                       shift.py    moving it
refunds.py  money to be transferred back      reports.py  a month's figures

For customers none of this exists: their taps and words never come here.
"""

from collections.abc import Awaitable, Callable, Mapping

from conversations.staff import desk, jobs, takeover, who
from conversations.staff.call_off import CALL_OFF, call_off
from conversations.staff.cash import CASH, cash
from conversations.staff.closing import CLOSE, close
from conversations.staff.costs import COST, cost
from conversations.staff.menu import menu as menu
from conversations.staff.no_show import no_show, yes_no_show
from conversations.staff.notes import NOTE, note
from conversations.staff.refunds import ask_account, owed, refunds, transferred, yes_transferred
from conversations.staff.reports import report
from conversations.staff.shift import SHIFT, shift
from conversations.staff.stock import STOCK, stock
from conversations.staff.stuck import resend, stuck
from conversations.staff.writing import WRITE, write
from conversations.turn import Flow, Question, Turn
from core.messaging.messages import say

Action = Callable[[Turn, str], Awaitable[Question | None]]

FOR_STAFF: Mapping[str, Action] = {
    "staff": menu,
    "jobs": jobs.of_day,
    "job": jobs.see,
    "way": jobs.on_my_way,
    "start": jobs.start,
    "note": note,
    "cost": cost,
    "cash": cash,
    "link": jobs.send_link,
    "finish": jobs.finish,
    "finish-anyway": jobs.finish_anyway,
    "no-show": no_show,
    "yes-no-show": yes_no_show,
}
FOR_ADMINS: Mapping[str, Action] = {
    "figures": desk.figures,
    "report": report,
    "pending": desk.pending,
    "assign": desk.assign,
    "give": desk.give,
    "shift": shift,
    "call-off": call_off,
    "write": write,
    "take": takeover.take,
    "hand-back": takeover.hand_back,
    "stock": stock,
    "close": close,
    "refunds": refunds,
    "owed": owed,
    "ask-account": ask_account,
    "transferred": transferred,
    "yes-transferred": yes_transferred,
    "stuck": stuck,
    "resend": resend,
}
STAFFS_FLOWS = (NOTE, COST, CASH)
ADMINS_FLOWS = (SHIFT, CALL_OFF, WRITE, STOCK, CLOSE)


def knows(turn: Turn, action: str) -> bool:
    """Whether it is an action of staff's, and staff writes."""
    name = action.partition(":")[0]
    return who.member(turn) is not None and (name in FOR_STAFF or name in FOR_ADMINS)


async def act(turn: Turn, action: str) -> Question | None:
    """Do what a button or a command says; raises a `Refusal`."""
    name, _, argument = action.partition(":")
    if name in FOR_STAFF:
        return await FOR_STAFF[name](turn, argument)
    if not who.is_admin(turn):
        return await menu(turn, first=say("team.admins_only"))
    return await FOR_ADMINS[name](turn, argument)


def flow_of(turn: Turn) -> Flow | None:
    """The staff's flow that is open, if the person may still do it."""
    flows = (*STAFFS_FLOWS, *(ADMINS_FLOWS if who.is_admin(turn) else ())) if who.member(turn) else ()
    return next((flow for flow in flows if flow.name == turn.state.flow), None)
