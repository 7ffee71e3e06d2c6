"""Processes that a command starts, each with its log, and ends whatever happens."""

from __future__ import annotations

import asyncio
import os
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, STDOUT
from typing import Self

from services.cli.context import Refusal

GRACE_SECONDS = 10.0
_TAIL = 4_000
VISABUS = Path(sysconfig.get_path("scripts")) / "visabus"


@dataclass(frozen=True, slots=True)
class Child:
    """One process."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    def last_words(self) -> str:
        """Return the end of its log."""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - _TAIL))
            return file.read().decode(errors="replace").strip()


class Children:
    """The processes of one command. On leaving, all are ended by their ids."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._environment = dict(environment)
        self._started: list[Child] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(end(child.process, GRACE_SECONDS) for child in self._started))

    async def start(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Child:
        """Run `visabus` with these arguments; `environment` is added to the one that all have."""
        log = self._logs / f"{name}.log"
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = await asyncio.create_subprocess_exec(
                str(VISABUS),
                *arguments,
                stdin=DEVNULL,
                stdout=descriptor,
                stderr=STDOUT,
                env=self._environment | dict(environment or {}),
                # a session of its own: Ctrl-C reaches the command, which ends its children in good order
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        child = Child(name, process, log)
        self._started.append(child)
        return child

    async def finished(self, child: Child) -> None:
        """Wait for its end. Raises Refusal if it failed."""
        if await child.process.wait() != 0:
            raise _failed(child)

    def check(self, *running: Child) -> None:
        """Whether those that should run do. Raises Refusal."""
        for child in running:
            if child.process.returncode is not None:
                raise _failed(child)


def _failed(child: Child) -> Refusal:
    return Refusal(f"{child.name} ended with {child.process.returncode}; its last words:\n{child.last_words()}")


async def end(process: asyncio.subprocess.Process, seconds: float) -> int:
    """End a process in good order, or after so many seconds by force. Return its code."""
    if process.returncode is not None:
        return process.returncode
    process.terminate()
    try:
        async with asyncio.timeout(seconds):
            return await process.wait()
    except TimeoutError:
        process.kill()
        return await process.wait()
