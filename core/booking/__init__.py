"""What a customer may change about a booking, and who is told of it.

rescheduling   another time or technician        cancellation   called off, or a no-show
waitlist       for what is full or sold out      closures       days on which the shop is closed
expanded       a booking with all that REST shows of it
"""
