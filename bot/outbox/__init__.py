"""Sending what the outbox holds, and recording what became of it."""
