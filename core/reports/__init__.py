"""Figures for the owner: `overview` (bookings, day, week), `monthly`."""
