"""Alembic."""
