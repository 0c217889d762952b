"""Invoices, receipts and credit notes: their facts are frozen when they are issued, their numbers have no gaps."""
