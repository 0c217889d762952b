"""What is said: channel-agnostic state machines over the core."""
