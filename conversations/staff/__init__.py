"""Staff in the chat: a technician's jobs and an admin's work, by buttons and by typed commands.

jobs.py      menu, days, one job, its taps     desk.py        figures, pending bookings, assigning
notes.py     notes, messages to customers      changing.py    reschedule, cancel with a reason, no-show
costs.py     additional costs, cash received   stock.py       look up, correct
refunds.py   money to transfer back            closing.py     close a day
stuck.py     undelivered messages              takeover.py    a conversation without the bot
monthly.py   a month's figures in words        unknown_orders.py  money that isn't in the books
answering.py a reply without a takeover        questions.py   what nobody could answer, and the FAQ

For customers none of this exists: see `registry.exists`.
"""

from conversations.staff import desk as desk
from conversations.staff import refunds as refunds
from conversations.staff import stuck as stuck
from conversations.staff.answering import ANSWER
from conversations.staff.changing import CALL_OFF, SHIFT
from conversations.staff.closing import CLOSE
from conversations.staff.costs import CASH, COST
from conversations.staff.jobs import menu as menu
from conversations.staff.notes import NOTE, WRITE
from conversations.staff.questions import ANSWER_QUESTION
from conversations.staff.stock import STOCK
from conversations.staff.unknown_orders import UNKNOWN

FLOWS = (NOTE, COST, CASH, SHIFT, CALL_OFF, WRITE, STOCK, CLOSE, UNKNOWN, ANSWER, ANSWER_QUESTION)
