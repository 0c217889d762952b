"""Asking for money, receiving it, and refunding it. Other rooms use the names below; modules inside:

payment_requests   one Midtrans order_id each               payment_links     the worker's side of a request
payment_methods    which channels take which amount         totals            what a booking has paid
notifications      stored, and settled after a status call  settlement        what a confirmed status does
ledger             what moved, entered once                 reversals         money that went back
slot_lost          paid after the slot was lost             slot_regained     and with a slot again
refunds            what goes back                           refund_requests   asking Midtrans to send it
reconciliation     the ledger against Midtrans              reconciliation_run  that, every night
unknown_orders     money for orders that we don't have
"""

from core.payment.ledger import enter_money as enter_money
from core.payment.midtrans_status import Attempt as Attempt
from core.payment.midtrans_status import Meaning as Meaning
from core.payment.midtrans_status import read_status as read_status
from core.payment.notifications import claim_notifications as claim_notifications
from core.payment.notifications import keep_account_notification as keep_account_notification
from core.payment.notifications import keep_notification as keep_notification
from core.payment.notifications import notifications_settled as notifications_settled
from core.payment.notifications import other_attempts as other_attempts
from core.payment.notifications import retry_notifications as retry_notifications
from core.payment.notifications import status_is_behind as status_is_behind
from core.payment.notifications import store_notification as store_notification
from core.payment.payment_links import ClaimedRequest as ClaimedRequest
from core.payment.payment_links import claim_requests as claim_requests
from core.payment.payment_links import link_closed as link_closed
from core.payment.payment_links import link_failed as link_failed
from core.payment.payment_links import link_made as link_made
from core.payment.payment_links import retry_request as retry_request
from core.payment.payment_links import use_next_order_id as use_next_order_id
from core.payment.payment_methods import channels as channels
from core.payment.payment_methods import offered_methods as offered_methods
from core.payment.payment_requests import check_now as check_now
from core.payment.payment_requests import count_requests as count_requests
from core.payment.payment_requests import end_holds as end_holds
from core.payment.payment_requests import open_request as open_request
from core.payment.payment_requests import renew as renew
from core.payment.payment_requests import request as request
from core.payment.payment_requests import withdraw_requests as withdraw_requests
from core.payment.refund_notices import refund_account as refund_account
from core.payment.refund_notices import refund_card as refund_card
from core.payment.refund_requests import RefundCall as RefundCall
from core.payment.refund_requests import claim_refunds as claim_refunds
from core.payment.refund_requests import next_refund_call as next_refund_call
from core.payment.refund_requests import refund_refused as refund_refused
from core.payment.refund_requests import refund_sent as refund_sent
from core.payment.refund_requests import refund_unclear as refund_unclear
from core.payment.refunds import ask_refund_account as ask_refund_account
from core.payment.refunds import load_refund as load_refund
from core.payment.refunds import open_refunds as open_refunds
from core.payment.refunds import record_transfer as record_transfer
from core.payment.refunds import refund as refund
from core.payment.refunds import refund_without_account as refund_without_account
from core.payment.refunds import refunds_of as refunds_of
from core.payment.refunds import set_refund_account as set_refund_account
from core.payment.settlement import settle as settle
from core.payment.settlement import settle_or_expire as settle_or_expire
from core.payment.slot_lost import lost_slot_choices as lost_slot_choices
from core.payment.slot_lost import refund_lost_slot as refund_lost_slot
from core.payment.slot_lost import remind_of_lost_slots as remind_of_lost_slots
from core.payment.slot_regained import confirm_with_slot as confirm_with_slot
from core.payment.slot_regained import has_lost_slot as has_lost_slot
from core.payment.totals import lock_booking as lock_booking
from core.payment.totals import update_totals as update_totals
