"""The workshop: catalogue, slots, bookings, money. No chat, no HTTP, no vendor.

shop.py        what the owner sets            refusals.py   every expected "no"
tables.py      mapped classes                 messages.py   what is to be said (keys, never prose)
database.py    engines and sessions           migrations/   Alembic
catalog.py     parts, services, stock, fit    bookings.py   book, move, cancel, release
agenda.py      the day's load, who is free    holds.py      seats, technicians, stock change hands
slots.py prices.py states.py policy.py money.py             pure rules, no SQLAlchemy
payments.py    request, settle                outbox.py     enqueue, due, retry_at
"""
