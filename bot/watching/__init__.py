"""Health, metrics, logs, alarms and housekeeping."""
