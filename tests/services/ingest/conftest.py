"""The bus that the tests of ingest send to, unless they bring their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bus.contract import Bus
from bus.embedded import EmbeddedBus
from services.wiring import topics


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    """A log in a file, with all topics."""
    opened = await EmbeddedBus.open(tmp_path / "bus.db")
    await opened.declare(topics())
    yield opened
    await opened.close()
