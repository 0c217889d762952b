"""Payments over Midtrans: links, refunds and reconciliation."""
