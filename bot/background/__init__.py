"""Background work: loops, task pools, batches, ticks, and work that only one process may do."""
