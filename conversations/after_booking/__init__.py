"""What a customer does with an existing booking: see it, reschedule it, cancel it, get a refund."""

from conversations.after_booking import cancelling as cancelling
from conversations.after_booking import payment_help as payment_help
from conversations.after_booking.history import COMMENT
from conversations.after_booking.refunds import ACCOUNT
from conversations.after_booking.rescheduling import MOVE

FLOWS = (COMMENT, MOVE, ACCOUNT)
