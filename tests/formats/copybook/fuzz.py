"""A layout with everything that a copybook can describe: what is read can be written, and is read again alike."""

from __future__ import annotations

from formats.copybook.test_copybook import ORDER

from adapters.formats.layout import Layout, Undecodable

LAYOUT = Layout.of(ORDER)


class Copybook:
    """Bytes of a record."""

    def seeds(self) -> dict[str, bytes]:
        """One record of blanks."""
        return {"blanks": b"\x40" * LAYOUT.length}

    def laws(self, data: bytes) -> None:
        """What holds for any bytes."""
        try:
            said = LAYOUT.decode(data)
        except Undecodable:
            return
        assert LAYOUT.decode(LAYOUT.encode(said)) == said


TARGETS = {"copybook": Copybook()}
