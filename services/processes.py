"""What this process is called where others have to tell it from theirs."""

from __future__ import annotations

import os
import socket


def process_name() -> str:
    """Return its host and number, such as `gate-1/4711`."""
    return f"{socket.gethostname()}/{os.getpid()}"
