"""Messages that answer nobody: `booking_notices` (what is said), `recipients` (who gets it)."""
