"""Alarms and what they watch (`alarms`, `backlog`), messages that failed, and what vendors report of sent ones."""
