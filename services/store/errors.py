"""Which errors of a database pass: it is away, full, read-only for a while, or gave a statement up.

They are waited for, as for a database that cannot be reached. All other errors are mistakes of ours and end the
process.
"""

from __future__ import annotations

import asyncpg

GIVEN_UP = (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError, asyncpg.SerializationError)
"""The transaction was given up for another's sake: run it again."""
PASSING = (
    OSError,  # and so a time limit
    asyncpg.InterfaceError,  # the connection is closed or in use
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
