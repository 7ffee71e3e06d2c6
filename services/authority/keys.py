"""The keys by which the ingest of each system is known: a file for each system in one directory.

A line of `SYSTEM.keys` is a key of 64 hexadecimal digits and, where wanted, `from=MOMENT` and `until=MOMENT`: between
them it signs. What it signed in that time stays good as long as the line stands. Of several that may sign, the last one
does. A process that runs one system is given that system's file alone; the correlator is given all.
"""

from __future__ import annotations

import hmac
import os
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, unquote

import structlog

from links.private_file import UnsafeFile, read_private
from services.keyring import SIZE, UnsafeKey, key_id

SUFFIX = ".keys"
OVERLAP = timedelta(hours=1)
"""So long an old key still signs beside the new one: processes read the files again within a minute."""
REFRESH_SECONDS = 30.0
_BEGIN, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
log = structlog.get_logger("keys")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of a system, and when it may sign."""

    system: str
    secret: bytes = field(repr=False)
    since: datetime = _BEGIN
    until: datetime = _END

    @property
    def id(self) -> str:
        """The id by which signatures name it."""
        return key_id(self.secret)

    def line(self) -> str:
        """The line of its file."""
        bounds = (("from", self.since, _BEGIN), ("until", self.until, _END))
        return " ".join((self.secret.hex(), *(f"{name}={at.isoformat()}" for name, at, open_ in bounds if at != open_)))


class Ready:
    """A key made ready for many messages: what can be reckoned once is."""

    __slots__ = ("begin", "end", "mac", "name", "system")

    def __init__(self, key: SigningKey) -> None:
        self.system, self.name = key.system, key.id.encode()
        self.begin, self.end = _seconds(key.since), _seconds(key.until)
        self.mac = hmac.new(key.secret, digestmod="sha256")

    def signs(self, seconds: float) -> bool:
        """Whether it may sign at a moment (seconds since 1970)."""
        return self.begin <= seconds < self.end

    def code(self, text: bytes) -> bytes:
        """The HMAC-SHA-256 of a text."""
        code = self.mac.copy()
        code.update(text)
        return code.digest()


def _seconds(at: datetime) -> float:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


def path_of(directory: Path, system: str) -> Path:
    """The file of a system's keys."""
    return directory / f"{quote(system, safe='')}{SUFFIX}"


def keys_in(path: Path) -> tuple[SigningKey, ...]:
    """The keys of one file, in its order. Raises UnsafeKey, OSError."""
    try:
        text = read_private(path).decode("ascii", "replace")
    except UnsafeFile as error:
        raise UnsafeKey(str(error)) from None
    system = unquote(path.name.removesuffix(SUFFIX))
    lines = [line.split() for line in text.splitlines()]
    keys = tuple(_key(path, system, words) for words in lines if words and not words[0].startswith("#"))
    if not keys:
        raise UnsafeKey(f"{path} holds no key")
    return keys


def _key(path: Path, system: str, words: list[str]) -> SigningKey:
    try:
        secret = bytes.fromhex(words[0])
        bounds = {name: datetime.fromisoformat(at) for name, _, at in (word.partition("=") for word in words[1:])}
        if len(secret) != SIZE or bounds.keys() - {"from", "until"} or any(at.tzinfo is None for at in bounds.values()):
            raise ValueError
    except ValueError:
        # not the line itself: it may be a key
        raise UnsafeKey(
            f"{path}: a line is a key of {2 * SIZE} hexadecimal digits, from=MOMENT, until=MOMENT"
        ) from None
    return SigningKey(system, secret, bounds.get("from", _BEGIN), bounds.get("until", _END))


def make(directory: Path, system: str) -> SigningKey:
    """Make the first key of a system. Raises FileExistsError, OSError."""
    key = SigningKey(system, secrets.token_bytes(SIZE))
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = path_of(directory, system)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    _write(descriptor, (key,))
    return key


def rotate(directory: Path, system: str, since: datetime) -> SigningKey:
    """Add a key that signs from a moment on; those before it sign for `OVERLAP` longer. Raises UnsafeKey, OSError."""
    path = path_of(directory, system)
    older = (
        SigningKey(each.system, each.secret, each.since, min(each.until, since + OVERLAP)) for each in keys_in(path)
    )
    key = SigningKey(system, secrets.token_bytes(SIZE), since)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    _write(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), (*older, key))
    fresh.replace(path)  # whole at every moment
    return key


def _write(descriptor: int, keys: Iterable[SigningKey]) -> None:
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.writelines(f"{key.line()}\n" for key in keys)
        file.flush()
        os.fsync(file.fileno())


class KeyFiles:
    """The keys in a directory, read again where its files change."""

    def __init__(self, directory: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises UnsafeKey, OSError."""
        self._directory = directory
        self._clock = clock
        self._state: object = None
        self._refreshed = -REFRESH_SECONDS
        self.by_name: Mapping[bytes, Ready] = {}
        self.by_system: Mapping[str, tuple[Ready, ...]] = {}
        self._read()

    def refresh(self, pause: float = REFRESH_SECONDS) -> bool:
        """Read the files again if one has changed; whether one has. Not oftener than every `pause` seconds.

        What cannot be read is told, and changes nothing.
        """
        if self._clock() - self._refreshed < pause:
            return False
        before = self._state
        try:
            self._read()
        except (UnsafeKey, OSError) as error:
            log.error("keys cannot be read again", why=str(error))
            return False
        return self._state != before

    def _read(self) -> None:
        self._refreshed = self._clock()
        paths = sorted(self._directory.glob(f"*{SUFFIX}"))
        state = [(path.name, at.st_mtime_ns, at.st_size, at.st_ino) for path in paths for at in (path.stat(),)]
        if not self._directory.is_dir():
            raise UnsafeKey(f"{self._directory} is no directory; `visabus keys make` makes it")
        if state == self._state:
            return
        by_system = {keys[0].system: tuple(map(Ready, keys)) for keys in map(keys_in, paths)}
        by_name: dict[bytes, Ready] = {}
        for key in (key for keys in by_system.values() for key in keys):
            if by_name.setdefault(key.name, key).system != key.system:
                raise UnsafeKey(f"{self._directory}: {key.system} and {by_name[key.name].system} have one key")
        self.by_system, self.by_name, self._state = by_system, by_name, state

    def signing(self, system: str, seconds: float) -> Ready | None:
        """The key by which a system signs at a moment, if it has one."""
        for key in reversed(self.by_system.get(system, ())):
            if key.signs(seconds):
                return key
        return None
