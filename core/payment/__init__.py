"""Asking for money, receiving it, and sending it back.

payment_requests   one Midtrans order_id and its link       payment_methods   which channels take which amount
settlement         what a confirmed status means            reversals         money that Midtrans took back
ledger             what moved, entered once                 slot_lost         money for a place that is gone
refunds            what is owed back                        refund_requests   asking Midtrans to send it
reconciliation     the books against Midtrans, at night by `reconciliation_run`
"""
