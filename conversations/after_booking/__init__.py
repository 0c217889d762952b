"""What a customer does with an existing booking: see it, change or reschedule it, cancel it, get a refund."""

from conversations.after_booking import cancelling as cancelling
from conversations.after_booking import payment_help as payment_help
from conversations.after_booking.changing import CHANGE
from conversations.after_booking.changing import take_up as take_up_change
from conversations.after_booking.history import COMMENT
from conversations.after_booking.refunds import ACCOUNT
from conversations.after_booking.rescheduling import MOVE
from conversations.after_booking.visit import where as where_is_technician

FLOWS = (COMMENT, MOVE, CHANGE, ACCOUNT)
__all__ = ["FLOWS", "take_up_change", "where_is_technician"]
