"""A batch of XML says the same in whatever pieces its bytes come."""

from __future__ import annotations

from formats.xml_batch.test_xml_batch import assert_pieces_do_not_matter
from systems.contract import target


class Pieces:
    """Bytes of a document."""

    def seeds(self) -> dict[str, bytes]:
        """The cases of a system that sends such batches."""
        return target("SEVIS").seeds()

    def laws(self, data: bytes) -> None:
        """What holds for any bytes."""
        assert_pieces_do_not_matter(data, 7)


TARGETS = {"xml-batch": Pieces()}
