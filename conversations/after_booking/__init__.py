"""What a customer does with a booking that stands: look, move, cancel, be refunded."""
