"""Sending messages from the outbox, and recording the results."""
