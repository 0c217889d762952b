"""What runs beside the server: loops, task pools, batches, and work for one process alone."""
