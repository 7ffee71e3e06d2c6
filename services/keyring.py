"""Keys of this installation in files: made on first use, readable by their owner alone, and changed without a break.

A file has a key in each line, 64 hexadecimal digits; the last one is used, those above it stand for what was made with
them. A key's id is a digest of it, so that two machines that hold one key call it alike. Lines that begin with # say
something to people.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from links.private_file import UnsafeFile, read_private

SIZE = 32


class UnsafeKey(Exception):
    """A key file that others can read, or that is none."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys by their ids; the last one is used for what is new."""

    keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def of(cls, *keys: bytes) -> Keyring:
        """These keys; the last one is used. Raises ValueError without any, or for one that is too short."""
        if not keys or any(len(key) < SIZE for key in keys):
            raise ValueError(f"keys of {SIZE} bytes or more are needed")
        return cls(MappingProxyType({key_id(key): key for key in keys}))

    @property
    def id(self) -> str:
        """The id of the key in use."""
        return [*self.keys][-1]

    def mac(self, data: bytes) -> str:
        """The HMAC-SHA-256 of data by the key in use, in hexadecimal digits."""
        return hmac.digest(self.keys[self.id], data, "sha256").hex()

    def macs(self, data: bytes) -> list[str]:
        """The same by every key, that in use first."""
        return [hmac.digest(key, data, "sha256").hex() for key in reversed([*self.keys.values()])]

    def holds(self, id: str, data: bytes, mac: str) -> bool:
        """Whether `mac` is that of data by the key with this id."""
        key = self.keys.get(id)
        return key is not None and hmac.compare_digest(hmac.digest(key, data, "sha256").hex(), mac)


def key_id(key: bytes) -> str:
    """The id of a key: twelve hexadecimal digits that tell nothing of it."""
    return hashlib.sha256(b"visabus key id\0" + key).hexdigest()[:12]


def ring(path: Path) -> Keyring:
    """The keys in a file, which is made with one if there is none. Raises UnsafeKey, OSError."""
    if not path.exists():
        _write(path, f"{secrets.token_hex(SIZE)}\n", replace=False)
    return held(path)


def held(path: Path) -> Keyring:
    """The keys in a file that stands. Raises UnsafeKey, OSError."""
    try:
        text = read_private(path).decode("ascii", "replace")
    except UnsafeFile as error:
        raise UnsafeKey(str(error)) from None
    lines = [line.strip() for line in text.splitlines()]
    try:
        keys = [bytes.fromhex(line) for line in lines if line and not line.startswith("#")]
    except ValueError:
        keys = []
    if not keys or any(len(key) != SIZE for key in keys):
        raise UnsafeKey(f"{path} holds no key of {SIZE} bytes in each of its lines")
    return Keyring.of(*keys)


def rotate(path: Path) -> Keyring:
    """Add a new key, which is used from now on; the file is whole at every moment. Raises UnsafeKey, OSError."""
    held(path)
    _write(path, f"{path.read_text(encoding='ascii').rstrip()}\n{secrets.token_hex(SIZE)}\n", replace=True)
    return held(path)


def _write(path: Path, text: str, *, replace: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            fresh.replace(path)
        else:
            os.link(fresh, path)  # whole or not at all, and never over another's
    except FileExistsError:
        return
    finally:
        fresh.unlink(missing_ok=True)
