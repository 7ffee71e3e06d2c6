"""Names of the key files of this installation's data directory; `services.keyring` makes and reads them."""

from __future__ import annotations

from pathlib import Path

from services.keyring import ring

TOKENS = "token.key"
"""Signs and checks the tokens of `visabus token`: for development."""


def token_key(directory: Path) -> bytes:
    """The key that tokens of this installation are signed with, made if there is none. Raises UnsafeKey, OSError."""
    keys = ring(directory / TOKENS)
    return keys.keys[keys.id]
