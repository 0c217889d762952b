"""Incoming HTTP: vendors' webhooks, the REST API, files, metrics."""
