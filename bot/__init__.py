"""What goes out, the wiring and the commands."""
