"""Slots, what takes them, and the booking rows that hold them.

slots          the grid of a day            occupancy           what of it is taken
availability   what is free and when        holds               seats, technicians and parts, held and given back
orders         what a customer orders       bookings            the booking's row, from held to cancelled
waitlist_priority   nobody books past a waitlist entry that came first
"""
