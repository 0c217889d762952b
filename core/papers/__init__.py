"""Invoices, receipts and credit notes: facts frozen with their cause, numbered without a gap."""
