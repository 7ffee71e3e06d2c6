"""SQLite: what its addresses may say."""

from __future__ import annotations

from sqlalchemy.engine import URL

from links.query import known, once

_OPTIONS = ("cache", "immutable", "mode", "nolock", "timeout", "uri", "vfs")


def sqlite(url: URL) -> URL:
    """Return the address. Raises Unusable for an option that SQLite would pass over."""
    once(url.query)
    known(url.query, _OPTIONS, "SQLite")
    return url
