"""Pure readers of what people type."""
