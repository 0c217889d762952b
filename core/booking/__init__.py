"""A booking as its customer and staff change it; each verb also sees to money, notices and the waitlist.

placement      place                              waitlist          join and leave it
rescheduling   another time or technician         waitlist_offers   offers, taken or passed on
changes        other goods, technician, place, car
cancellation   cancelled, or a no-show            closures          days on which the shop is closed
consent        no reminders, offers and alerts any more, or again
expanded       a booking with all that REST shows of it
impossible     bookings that can't be done any more, until each is settled
absence        technicians on leave, and those who leave
"""

from core.booking.absence import (
    LeavePeriod,
    change_entry,
    end_leave,
    enter_leave,
    jobs_to_come,
    leave_of,
    retire_technician,
)
from core.booking.cancellation import (
    CancellationTerms,
    cancel,
    cancellation_terms,
    no_show_terms,
    record_no_show,
    refund_summary,
    staff_refund_summary,
)
from core.booking.changes import ChangeTerms, change, change_terms
from core.booking.closures import affected_by_closing, close_day, close_days, closed_days, reopen_day
from core.booking.consent import resume_messages, stop_messages
from core.booking.expanded import Expanded, expand
from core.booking.impossible import (
    has_news,
    impossible_bookings,
    keep,
    move_to_nearest,
    remind_of_impossible,
    review,
)
from core.booking.placement import confirm_free, place
from core.booking.rescheduling import check_may_reschedule, may_reschedule, reschedule
from core.booking.waitlist import WAITABLE, count_ahead, join_waitlist, leave_waitlist, waitlist_entries
from core.booking.waitlist_offers import (
    due_ends,
    due_offers,
    end_entry,
    make_offer,
    pass_on_offer,
    rejoin_waitlist,
    take_offer,
)
from core.schedule.orders import BookingRequest, Order, order_of

__all__ = [
    "WAITABLE",
    "BookingRequest",
    "CancellationTerms",
    "ChangeTerms",
    "Expanded",
    "LeavePeriod",
    "Order",
    "affected_by_closing",
    "cancel",
    "cancellation_terms",
    "change",
    "change_entry",
    "change_terms",
    "check_may_reschedule",
    "close_day",
    "close_days",
    "closed_days",
    "confirm_free",
    "count_ahead",
    "due_ends",
    "due_offers",
    "end_entry",
    "end_leave",
    "enter_leave",
    "expand",
    "has_news",
    "impossible_bookings",
    "jobs_to_come",
    "join_waitlist",
    "keep",
    "leave_of",
    "leave_waitlist",
    "make_offer",
    "may_reschedule",
    "move_to_nearest",
    "no_show_terms",
    "order_of",
    "pass_on_offer",
    "place",
    "record_no_show",
    "refund_summary",
    "rejoin_waitlist",
    "remind_of_impossible",
    "reopen_day",
    "reschedule",
    "resume_messages",
    "retire_technician",
    "review",
    "staff_refund_summary",
    "stop_messages",
    "take_offer",
    "waitlist_entries",
]
