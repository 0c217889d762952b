"""Midtrans: its client, and the workers that make links, send refunds and compare the books."""
