"""The two rings of keys that an audit log needs; neither lies in its database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.keyring import Keyring, held, ring
from services.settings import Settings

SEAL = "audit-seal.key"
"""Seals the rows. Who holds it can forge the log; without it no row can be checked."""
NAMES = "audit.key"
"""Turns what was looked up into the names that the log knows it by. Lost, the log's rows cannot be searched."""


@dataclass(frozen=True, slots=True)
class AuditKeys:
    """Keys that seal rows, and keys that hide numbers. All processes that share a log need the same."""

    seal: Keyring
    names: Keyring

    def name(self, text: str) -> str:
        """The keyed hash under which `text` stands in the log."""
        return self.names.mac(text.encode("utf-8", "backslashreplace"))

    def all_names(self, text: str) -> list[str]:
        """The same under every key that was ever used."""
        return self.names.macs(text.encode("utf-8", "backslashreplace"))


def seal_file(settings: Settings) -> Path:
    """Where the keys are that seal rows."""
    return settings.audit.seal_keys or settings.data_dir / SEAL


def names_file(settings: Settings) -> Path:
    """Where the keys are that hide numbers."""
    return settings.audit.name_keys or settings.data_dir / NAMES


def keys_of(settings: Settings) -> AuditKeys:
    """The keys, made in the data directory if there are none. Raises UnsafeKey, OSError."""
    return _keys(settings, ring)


def held_keys(settings: Settings) -> AuditKeys:
    """The keys that stand. Raises UnsafeKey, OSError."""
    return _keys(settings, held)


def _keys(settings: Settings, read: Callable[[Path], Keyring]) -> AuditKeys:
    return AuditKeys(read(seal_file(settings)), read(names_file(settings)))
