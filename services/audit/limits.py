"""How long the audit log is waited for."""

from __future__ import annotations

DEADLINE = 5.0
"""Seconds until a log that does not answer counts as gone."""
BUSY_SHARE = 0.8
"""Of the deadline: SQLite gives up its wait for the lock before its caller gives up on it."""
