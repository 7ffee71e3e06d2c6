"""A file that stands for a source."""

from __future__ import annotations

from io import BufferedReader, BytesIO
from pathlib import Path


def opened(source: Path | bytes) -> BufferedReader:
    """The file at a path, or bytes as a file. Raises OSError."""
    return BufferedReader(BytesIO(source)) if isinstance(source, bytes) else source.open("rb")
