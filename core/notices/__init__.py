"""Messages that answer nobody.

tell                                             writes a notice to everybody it concerns
cards                                            the parts that notices are made of
booking_notices, payment_notices, reminders      what is told, and when

Notices about the work on the car are in `core.work.notices`, those about refunds in `core.payment.refund_notices`.
"""
