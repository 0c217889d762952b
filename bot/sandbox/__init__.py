"""Stand-ins for the vendors, which run on this machine, and the page of `make demo`."""
