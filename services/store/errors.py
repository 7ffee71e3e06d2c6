"""Which errors of a database pass, and what is said of them.

What passes (the database is away, full, read-only for a while, being restored, or gave a statement up) is waited for,
as for a database that cannot be reached. All else that a writer meets is a mistake of ours and ends the process.
"""

from __future__ import annotations

import re
import sqlite3

import asyncpg

from links.reasons import chain
from services.engines import GONE
from services.store.tables import METADATA

GIVEN_UP = (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError, asyncpg.SerializationError)
"""The transaction was given up for another's sake: run it again."""
PASSING = (
    OSError,  # and so a time limit
    asyncpg.InterfaceError,  # the connection is closed or in use
    asyncpg.InternalClientError,  # the connection broke off within an answer, which the driver then cannot make out
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.ReadOnlySQLTransactionError,  # 25006: a standby, or after a failover
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidAuthorizationSpecificationError,  # class 28: rights are being changed
    asyncpg.InvalidCatalogNameError,  # 3D000: the database is being restored
    asyncpg.InsufficientResourcesError,  # class 53: disk full, out of memory, too many connections
    asyncpg.ObjectNotInPrerequisiteStateError,  # class 55: being dropped or renamed
    asyncpg.OperatorInterventionError,  # class 57: cancelled, shut down, crashed, starting up
    asyncpg.PostgresSystemError,  # class 58: an input or output of the server's system failed
    asyncpg.InternalServerError,  # class XX
)
"""A database that cannot work at present."""
_TABLES = frozenset(METADATA.tables)
_WORD = re.compile(r"\w+")
RESTORE = (
    "put a backup in its place, or end all processes of the store and start them anew: an empty store is filled again"
    " from the bus"
)
"""What to do about a store that was emptied or replaced by something else."""


def words_of(error: BaseException) -> str:
    """Return what an error comes to, in a line that quotes no value: its class, or what became of the store."""
    if is_no_store(error):
        return f"it was emptied, or replaced by something that is no store: {RESTORE}"
    orig = getattr(error, "orig", None)
    cause = orig if orig is not None else error
    if isinstance(cause, FileNotFoundError) or str(cause) == GONE:
        return f"its file is gone: {RESTORE}"
    return type(cause).__name__


def is_no_store(error: BaseException) -> bool:
    """Return whether a table of the store is not there, or a file is no database (any more)."""
    return any(_is_no_store(each) for each in chain(error))


def _is_no_store(error: BaseException) -> bool:
    if isinstance(error, asyncpg.UndefinedTableError) or (
        isinstance(error, sqlite3.OperationalError) and "no such table" in str(error)
    ):
        return not _TABLES.isdisjoint(_WORD.findall(str(error)))  # of another table it is a mistake of ours
    primary = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    return isinstance(error, sqlite3.Error) and primary in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
