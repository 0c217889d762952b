"""What a booking costs and on which terms: `prices`, `quotes`, `policy` (deadlines), `trust` (after no-shows)."""
