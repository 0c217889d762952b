"""What is said in a chat: state machines over core, the same for every channel."""
