"""The systems that visabus connects, found by themselves.

Each folder below `adapters.systems` is one, and so is each folder of a further package that the environment names in
`VISABUS_SYSTEM_PACKAGES`, comma-separated.
"""

from __future__ import annotations

import os
import re
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import adapters.systems
from adapters.core import Feed, System
from schemas.events import PEOPLE, SCOPE, Evidence, Fact

PACKAGES_VARIABLE = "VISABUS_SYSTEM_PACKAGES"
RESERVED = frozenset({"VISABUS", "BUS"})
"""Whose records decisions are, and in whose name the correlator keeps dead letters."""
_SCOPE = re.compile(SCOPE)
_NAME = re.compile(r"[A-Z0-9][A-Z0-9/_-]{0,11}")


class MalformedSystem(Exception):
    """A folder with systems holds one that is none; nothing starts before that is mended."""


def further_packages() -> tuple[str, ...]:
    """Return the names of the packages with systems beside the project's own, as the environment has them."""
    return tuple(filter(None, (name.strip() for name in os.environ.get(PACKAGES_VARIABLE, "").split(","))))


@cache
def systems() -> dict[str, System]:
    """Return every system by its name, in order. Raises MalformedSystem."""
    return {name: system for name, (system, _) in _modules(further_packages()).items()}


def system_of(name: str) -> System | None:
    """Return the system of that name, None if there is none; others are read only if its folder is not named after it.

    A process that reads one feed need not know all systems. Further packages may have a second system of the name, so
    with them all are read. Raises MalformedSystem.
    """
    if not further_packages() and any(
        module.name == name.lower() for module in iter_modules(adapters.systems.__path__)
    ):
        system = _load(f"{adapters.systems.__name__}.{name.lower()}", folder=True)
        if system.name == name:
            return system
    return systems().get(name)


def package_of(name: str) -> str:
    """The package of a system: where its interface page and its tables are. Raises KeyError, MalformedSystem."""
    return _modules(further_packages())[name][1]


def _modules(further: tuple[str, ...]) -> dict[str, tuple[System, str]]:
    result = _collected(adapters.systems)
    for name in further:
        try:
            package = import_module(name)
        except ImportError as error:
            raise MalformedSystem(f"{PACKAGES_VARIABLE}: {name} cannot be imported: {error}") from error
        for system, at in _collected(package).items():
            if system in result:
                raise MalformedSystem(f"{name}: a second system of the name {system}")
            result[system] = at
    return dict(sorted(result.items()))


def collect(package: ModuleType) -> dict[str, System]:
    """The systems in the folders of a package. Raises MalformedSystem."""
    return {name: system for name, (system, _) in _collected(package).items()}


def _collected(package: ModuleType) -> dict[str, tuple[System, str]]:
    """The systems with the packages that they are."""
    by_name: dict[str, tuple[System, str]] = {}
    for module in iter_modules(package.__path__):
        name = f"{package.__name__}.{module.name}"
        system = _load(name, folder=module.ispkg)
        if system.name in by_name:
            raise MalformedSystem(f"{module.name}: a second system of the name {system.name}")
        by_name[system.name] = system, name
    return dict(sorted(by_name.items()))


def _load(name: str, *, folder: bool) -> System:
    if not folder:
        raise MalformedSystem(f"{name} is a file; a system is a folder with adapter.py")
    try:
        module = import_module(f"{name}.adapter")
    except ImportError as error:
        raise MalformedSystem(f"{name}: adapter.py cannot be imported: {error}") from error
    system = getattr(module, "ADAPTER", None)
    if not isinstance(system, System):
        raise MalformedSystem(f"{name}: adapter.py has no ADAPTER of type System")
    _check(name, system)
    return system


def _check(name: str, system: System) -> None:
    if not _NAME.fullmatch(system.name):
        raise MalformedSystem(f"{name}: {system.name!r} is no name of a system: {_NAME.pattern}")
    if system.name in RESERVED:
        raise MalformedSystem(f"{name}: {system.name} is a name of visabus's own")
    for field, said, words in (
        ("emits", system.emits, PEOPLE),
        ("facts", system.facts or (), frozenset(map(str, Fact))),
        ("evidence", (system.evidence,) if system.evidence is not None else (), frozenset(map(str, Evidence))),
    ):
        if unknown := set(said) - words:
            raise MalformedSystem(f"{name}: {field} has {', '.join(sorted(unknown))}, which is none of its words")
    if strange := [scope for scope in system.covers or () if not _SCOPE.fullmatch(scope)]:
        raise MalformedSystem(f"{name}: covers has {', '.join(strange)}, which is no scope: {_SCOPE.pattern}")
    if system.mapping_version < 1:
        raise MalformedSystem(f"{name}: mapping_version {system.mapping_version} is below 1")
    if not system.feeds or not all(isinstance(feed, Feed) for feed in system.feeds):
        raise MalformedSystem(f"{name}: no feeds")
    if len({feed.name for feed in system.feeds}) < len(system.feeds):
        raise MalformedSystem(f"{name}: two feeds of one name")
