"""A booking as its customer and staff change it; each verb also sees to money, notices and the waitlist.

placement      place                              waitlist          join and leave it
rescheduling   another time or technician         waitlist_offers   offers, taken or passed on
cancellation   cancelled, or a no-show            closures          days on which the shop is closed
expanded       a booking with all that REST shows of it
"""

from core.booking.cancellation import (
    CancellationTerms,
    cancel,
    cancellation_terms,
    no_show_terms,
    record_no_show,
    refund_summary,
    staff_refund_summary,
)
from core.booking.closures import affected_by_closing, close_day, reopen_day
from core.booking.expanded import Expanded, expand
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
from core.schedule.orders import BookingRequest, Order

__all__ = [
    "WAITABLE",
    "BookingRequest",
    "CancellationTerms",
    "Expanded",
    "Order",
    "affected_by_closing",
    "cancel",
    "cancellation_terms",
    "check_may_reschedule",
    "close_day",
    "confirm_free",
    "count_ahead",
    "due_ends",
    "due_offers",
    "end_entry",
    "expand",
    "join_waitlist",
    "leave_waitlist",
    "make_offer",
    "may_reschedule",
    "no_show_terms",
    "pass_on_offer",
    "place",
    "record_no_show",
    "refund_summary",
    "rejoin_waitlist",
    "reopen_day",
    "reschedule",
    "staff_refund_summary",
    "take_offer",
    "waitlist_entries",
]
