"""Asking for money, receiving it, and refunding it. Other rooms use the names below; modules inside:

payment_requests   one Midtrans order_id each               payment_links     the worker's side of a request
payment_methods    which channels take which amount         totals            what a booking has paid
notifications      stored, and settled after a status call  settlement        what a confirmed status does
ledger             what moved, entered once                 reversals         money that went back
slot_lost          paid after the slot was lost             slot_regained     and with a slot again
refunds            what goes back                           refund_requests   asking Midtrans to send it
reconciliation     the ledger against Midtrans              reconciliation_run  that, every night
"""

from core.payment.ledger import enter_money
from core.payment.midtrans_status import Attempt, Meaning, read_status
from core.payment.notifications import (
    claim_notifications,
    notifications_settled,
    other_attempts,
    retry_notifications,
    status_is_behind,
    store_notification,
)
from core.payment.payment_links import (
    ClaimedRequest,
    claim_requests,
    link_closed,
    link_failed,
    link_made,
    retry_request,
    use_next_order_id,
)
from core.payment.payment_methods import channels, offered_methods
from core.payment.payment_requests import end_holds, open_request, request, withdraw_requests
from core.payment.refund_notices import refund_account, refund_card
from core.payment.refund_requests import (
    RefundCall,
    claim_refunds,
    next_refund_call,
    refund_refused,
    refund_sent,
    refund_unclear,
)
from core.payment.refunds import (
    ask_refund_account,
    load_refund,
    open_refunds,
    record_transfer,
    refund,
    refund_without_account,
    refunds_of,
    set_refund_account,
)
from core.payment.settlement import settle, settle_or_expire
from core.payment.slot_lost import lost_slot_choices, refund_lost_slot, remind_of_lost_slots
from core.payment.slot_regained import confirm_with_slot, has_lost_slot
from core.payment.totals import lock_booking, update_totals

__all__ = [
    "Attempt",
    "ClaimedRequest",
    "Meaning",
    "RefundCall",
    "ask_refund_account",
    "channels",
    "claim_notifications",
    "claim_refunds",
    "claim_requests",
    "confirm_with_slot",
    "end_holds",
    "enter_money",
    "has_lost_slot",
    "link_closed",
    "link_failed",
    "link_made",
    "load_refund",
    "lock_booking",
    "lost_slot_choices",
    "next_refund_call",
    "notifications_settled",
    "offered_methods",
    "open_refunds",
    "open_request",
    "other_attempts",
    "read_status",
    "record_transfer",
    "refund",
    "refund_account",
    "refund_card",
    "refund_lost_slot",
    "refund_refused",
    "refund_sent",
    "refund_unclear",
    "refund_without_account",
    "refunds_of",
    "remind_of_lost_slots",
    "request",
    "retry_notifications",
    "retry_request",
    "set_refund_account",
    "settle",
    "settle_or_expire",
    "status_is_behind",
    "store_notification",
    "update_totals",
    "use_next_order_id",
    "withdraw_requests",
]
