"""Receipts: for each batch what was read, published, refused and why, and what the source claimed. For its owner.

They are kept on the bus, in a compacted topic, so that several hosts on several machines have one place for them. They
name no person: reasons come without the values of a record, and keys of records as keyed digests. An index on the local
disk, which can be deleted at any time, finds them by system, batch and record.
"""

from services.receipts.index import Extent, Index, Query
from services.receipts.message import (
    KEYS,
    MAX_BYTES,
    message_of,
    plain,
    record_digests,
    without_numbers,
    without_persons,
)

__all__ = [
    "KEYS",
    "MAX_BYTES",
    "Extent",
    "Index",
    "Query",
    "message_of",
    "plain",
    "record_digests",
    "without_numbers",
    "without_persons",
]
