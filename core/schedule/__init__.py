"""Time and places: which slots there are, what is taken, and the booking that takes them.

slots          the grid of a day            occupancy           what of it is taken
availability   what is free and when        holds               places taken and given back
orders         what is asked for            bookings            the row, from held to cancelled
waitlist_priority   nobody books past a customer who waited longer
"""
