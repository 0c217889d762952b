"""Everybody whom the simulator knows."""

import people_after_booking
import people_who_ask
import people_who_book
import people_who_change

EVERYBODY = (
    *people_who_book.PEOPLE,
    *people_who_ask.PEOPLE,
    *people_who_change.PEOPLE,
    *people_after_booking.PEOPLE,
)
NAMES = [persona.name for persona in EVERYBODY]
if len(set(NAMES)) < len(NAMES):
    raise ValueError("two personas have the same name")
