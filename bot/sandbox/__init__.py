"""The outside world on this machine: stand-ins for the vendors, and the page behind `make demo`."""
