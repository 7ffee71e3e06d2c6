"""Migrations of the store, run by alembic from inside the package."""
