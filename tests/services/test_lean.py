"""What a process leaves out while it starts is there for who asks for it later."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from services.lean import structlog_alone

structlog_alone()
assert "structlog" in sys.modules and "rich" not in sys.modules
structlog_alone()
import rich.console
import structlog

line = structlog.dev.ConsoleRenderer(colors=False)(None, "info", {"event": "read", "count": 1})
assert "read" in line and "count=1" in line
"""


def test_logs_are_written_without_rich_and_others_have_it() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
