"""Slots, what takes them, and the booking rows that hold them.

slots          when a day's jobs can start  occupancy           the time that jobs take of it
availability   what is free and when        holds               time, technicians and parts, held and given back
orders         what a customer orders       bookings            the booking's row, from held to cancelled
waitlist_priority   nobody books past a waitlist entry that came first
"""
