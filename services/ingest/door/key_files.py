"""The keys of the door, read again when the files of the settings change: added or withdrawn without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from services.ingest.door.signatures import Keys
from services.logs import describe
from services.settings import Settings, SettingsError

Stamp = tuple[int, int, int, int]


@dataclass(slots=True)
class KeyFiles:
    """Where the keys of the settings stand: files, and directories of files."""

    paths: Collection[Path]
    load: Callable[[], Settings]  # raises what is wrong with the settings
    keys: Keys
    opened: Collection[str]  # systems whose feeds the door has
    _seen: dict[Path, Stamp] = field(default_factory=dict)  # so the first comparison reads them once more

    async def watch(self, seconds: float) -> None:
        """Compare for good, every so many seconds."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await asyncio.to_thread(self.compare)
            except Exception as error:  # told, and compared again: a key that is withdrawn must not stay in force
                structlog.get_logger("door").error("the keys cannot be compared", **describe(error))

    def compare(self) -> None:
        """Take over the keys if a file changed. Settings that are wrong leave the keys in force, and are told once."""
        stamps = self._stamps()
        if stamps == self._seen:
            return
        self._seen = stamps
        log = structlog.get_logger("door")
        try:
            fresh = self.load().door.keys
        except SettingsError as error:  # the door goes on with what it has
            log.error("the settings cannot be read again: the keys before stay in force", why="; ".join(error.mistakes))
            return
        except Exception as error:  # as well; what another says may repeat what stands in them
            log.error("the settings cannot be read again: the keys before stay in force", **describe(error))
            return
        if not fresh:
            log.error("the settings have no key any more: the keys before stay in force")
            return
        added, removed = self.keys.replace(fresh)
        if strangers := sorted({key.system for key in fresh.values()} - set(self.opened)):
            log.warning("a key of a system that this door did not open: restart it", systems=strangers)
        if added or removed:
            log.info("keys changed", added=sorted(added), removed=sorted(removed))

    def _stamps(self) -> dict[Path, Stamp]:
        files = [file for path in self.paths for file in _files(path)]
        return {file: stamp for file in files if (stamp := _stamp(file)) is not None}


def _files(path: Path) -> list[Path]:
    """The files of a directory, or the file; the path itself where it cannot be listed."""
    try:
        return list(path.iterdir()) if path.is_dir() else [path]
    except OSError:
        return [path]


def _stamp(file: Path) -> Stamp | None:
    try:
        state = file.stat()
    except OSError:
        return None
    # a file that was refused for its mode is read again once that is mended, which changes no content
    return (state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino)
