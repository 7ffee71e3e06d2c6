"""A system that pushes: nothing is fetched, the push handler of ingest takes what comes and answers record by record.

In an adapter this stands where other feeds have their transport. It says what an answer calls the record, and how to
find that name where no event tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.core import BadRecord, Format, Read, Record
from adapters.transports.needed_format import needed
from adapters.transports.offline import opened


@dataclass(frozen=True, slots=True)
class HttpPush:
    """The transport. `called`: the field of an answer that names the record; `key`: its value, from what was read.

    `message`: the field of a message's header that names the message, for a sender that signs the same message anew.
    """

    called: str
    key: Callable[[Record], str | None]
    content_types: frozenset[str]
    limit: int = 4_000_000  # bytes of a message
    message: str | None = None

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """One message as a file. Raises OSError, ValueError if there is no format."""
        format = needed(format, "messages")
        with opened(source) as stream:
            size = stream.seek(0, 2)
            stream.seek(0)
            if size > self.limit:
                reason = f"a file of {size} bytes, at most {self.limit}"
                yield BadRecord(reason, place="byte 0", raw=stream.read(4096))
                return
            yield from format.read(stream)
