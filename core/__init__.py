"""The workshop: catalogue, schedule, bookings, work, money. No chat, no HTTP, no vendor.

Each folder is a room; its `__init__` says what is in it. The rooms stand in layers (pyproject.toml), the top one first:
upkeep, reports, booking, work, payment, papers, notices, schedule, catalogue, pricing, people, messaging, db.
"""
