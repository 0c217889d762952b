"""The work on the car, from the assignment to the rating (flow.md, steps 4 and 5).

    assign ──> confirmed ── start ──> in_progress ── complete ──> completed ── rate
                  └── add_note, add_cost, decide_cost, receive_cash      (cancelling: `core.booking`)

Every verb locks the booking first, so that two at once run one after the other; records an event; and sends
notices through the outbox. A verb expires the booking's technician and contact: load the booking again afterwards.
A refusal may leave part of the work written: the caller rolls back to before.

    planning   assign, reassign, agenda …     costs     add_cost, decide_cost
    progress   start … complete               cash      receive_cash
    notes      add_note                       rating    rate, comment_on
    history    what a customer can look at    warranty  how long it lasts
    visits     late, on the way
    notices    messages about the work
"""

from core.work.cash import receive_cash
from core.work.costs import MAX_COST, add_cost, decide_cost
from core.work.history import History, history
from core.work.notes import add_note, notes_of
from core.work.planning import agenda, assign, free_for, reassign
from core.work.progress import complete, move_status, on_my_way, start
from core.work.rating import comment_on, rate
from core.work.visits import pass_on

__all__ = [
    "MAX_COST",
    "History",
    "add_cost",
    "add_note",
    "agenda",
    "assign",
    "comment_on",
    "complete",
    "decide_cost",
    "free_for",
    "history",
    "move_status",
    "notes_of",
    "on_my_way",
    "pass_on",
    "rate",
    "reassign",
    "receive_cash",
    "start",
]
