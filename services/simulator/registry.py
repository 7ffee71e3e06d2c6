"""The sources, found by themselves: each folder below `services.simulator.systems`, and those of further packages."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType

import services.simulator.systems
from services.simulator.source import Source


class MalformedSource(Exception):
    """A folder of the simulator's systems is no source."""


def sources(further: Iterable[str] = ()) -> dict[str, Source]:
    """Return every source by the name of its system, in order; `further` names packages. Raises MalformedSource."""
    collected = collect(services.simulator.systems, strict=True)
    for name in further:
        for system, source in collect(import_module(name), strict=False).items():
            if system in collected:
                raise MalformedSource(f"{name}: a second source of the name {system}")
            collected[system] = source
    return dict(sorted(collected.items()))


def collect(package: ModuleType, *, strict: bool) -> dict[str, Source]:
    """Return the sources in the folders of a package. Raises MalformedSource.

    Unless `strict`, a folder without a module `source` is a system that is not simulated.
    """
    collected: dict[str, Source] = {}
    for module in iter_modules(package.__path__):
        name = f"{package.__name__}.{module.name}"
        if not module.ispkg:
            if strict:
                raise MalformedSource(f"{name} is a file; a source is a folder with source.py")
            continue
        if find_spec(f"{name}.source") is None:
            if strict:
                raise MalformedSource(f"{name} has no source.py")
            continue
        source = getattr(import_module(f"{name}.source"), "SOURCE", None)
        if not isinstance(source, Source):
            raise MalformedSource(f"{name}: source.py has no SOURCE with all that a Source has")
        if source.system in collected:
            raise MalformedSource(f"{name}: a second source of the name {source.system}")
        collected[source.system] = source
    return collected
