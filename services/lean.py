"""What a process leaves out while it starts."""

from __future__ import annotations

import sys


def structlog_alone() -> None:
    """Read structlog without rich, which it would show tracebacks with: logs of this project have none.

    Reading rich, and what that reads, is a twentieth of what a command reads at its start.
    """
    if "structlog" in sys.modules or "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # to the import system: there is none
    try:
        import structlog  # noqa: F401  # for what it leaves in sys.modules
    finally:
        del sys.modules["rich"]
