"""What is to be said, and what becomes of it: `messages` (keys and parameters), `outbox`, `outbox_claims`, `backoff`."""
