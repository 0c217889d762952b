"""Staff in the chat: a technician's jobs and an admin's work, by buttons and by typed commands.

who.py       who acts, on which job            desk.py        figures, pending bookings, assigning
menu.py      the menu                          cancelling.py  cancel with a reason, no-show
jobs.py      days, one job, its single taps    writing.py     a message to a customer
notes.py     text and photos                   stock.py       look up, correct
costs.py     additional costs                  closing.py     close a day
cash.py      cash received                     takeover.py    a conversation without the bot
amounts.py   reads rupiah                      commands.py    reads typed commands
refunds.py   money to transfer back            shift.py       reschedule
stuck.py     undelivered messages              reports.py, monthly.py  a month's figures

For customers none of this exists: see `registry.exists`.
"""

from conversations.staff import desk as desk
from conversations.staff import refunds as refunds
from conversations.staff import reports as reports
from conversations.staff import stuck as stuck
from conversations.staff.cancelling import CALL_OFF
from conversations.staff.cash import CASH
from conversations.staff.closing import CLOSE
from conversations.staff.costs import COST
from conversations.staff.menu import menu as menu
from conversations.staff.notes import NOTE
from conversations.staff.shift import SHIFT
from conversations.staff.stock import STOCK
from conversations.staff.writing import WRITE

FLOWS = (NOTE, COST, CASH, SHIFT, CALL_OFF, WRITE, STOCK, CLOSE)
