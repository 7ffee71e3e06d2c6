"""A batch of XML says the same by the short way and by the long one."""

from __future__ import annotations

from contracts.adapters.test_short_ways import reads, the_long_way
from systems.contract import target


class Ways:
    """Bytes of a document."""

    def seeds(self) -> dict[str, bytes]:
        """The cases of a system that sends such batches."""
        return target("SEVIS").seeds()

    def laws(self, data: bytes) -> None:
        """What holds for any bytes."""
        assert reads(data) == the_long_way(data)


TARGETS = {"xml-batch": Ways()}
