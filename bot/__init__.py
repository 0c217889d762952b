"""Channels, background work, commands, and the wiring of all parts."""
