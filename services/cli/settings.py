"""`visabus settings check`: what is wrong with the settings, all at once, and how they are read; no secret is shown."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote, urlsplit

import typer
from pydantic import BaseModel

from services.cli.context import MISUSED, Refusal, settings_of, sources_of

if TYPE_CHECKING:
    from services.ingest import Source
    from services.settings import Settings

_PRIVATE = ("key", "keys", "keyfile", "ssl_keyfile")
"""Names of settings whose files hold a secret."""
_FILES = (*_PRIVATE, "cafile", "certfile", "known_hosts", "ssl_cafile", "ssl_certfile")
"""Names of options of a feed that name a file."""


@dataclass(slots=True)
class Findings:
    """What the check gives."""

    mistakes: list[str] = field(default_factory=list)
    feeds: dict[str, str] = field(default_factory=dict)  # how the address of each is read
    places: dict[str, str] = field(default_factory=dict)  # bus, store, audit log
    files: dict[str, str] = field(default_factory=dict)  # of each setting that names one: path, mode

    def as_json(self) -> dict[str, Any]:
        """As one object."""
        return {"mistakes": self.mistakes, "places": self.places, "feeds": self.feeds, "files": self.files}


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="The settings: check.")
    group.command()(check)
    app.add_typer(group, name="settings")


def check(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Check the settings: every mistake at once, how each feed's address is read, whether files are there and closed.

    Opens no source, bus or store, and shows no secret. Ends with 2 if something is wrong. Mistakes in what a setting
    may be come first; addresses and files are looked at once those are mended.

        visabus --settings visabus.toml settings check
    """
    import orjson

    findings = _findings(context)
    if as_json:
        typer.echo(orjson.dumps(findings.as_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        for title, facts in (("places", findings.places), ("feeds", findings.feeds), ("files", findings.files)):
            for name, fact in facts.items():
                typer.echo(f"{title[:-1]}  {name}  {fact}")
        for mistake in findings.mistakes:
            typer.echo(f"mistake  {mistake}")
        count = len(findings.mistakes)
        typer.echo(f"{count} {'mistake' if count == 1 else 'mistakes'} in {_read_from(context)}", err=True)
    if findings.mistakes:
        raise typer.Exit(MISUSED)


def _read_from(context: typer.Context) -> str:
    return ", ".join(map(str, sources_of(context))) or "the environment and the options (no settings file is named)"


def _findings(context: typer.Context) -> Findings:
    from services.settings import SettingsError

    findings = Findings()
    try:
        settings = settings_of(context)
    except SettingsError as error:
        findings.mistakes += error.mistakes
        return findings
    except Refusal as error:  # a data directory that others can enter, a password on the command line
        findings.mistakes.append(str(error))
        return findings
    findings.places = {name: shown(getattr(settings, name)) for name in ("bus_url", "store_url", "audit_url")}
    findings.places["data_dir"] = str(settings.data_dir)
    _check_files(settings, findings)
    _check_feeds(settings, findings)
    _check_keys(settings, findings)
    return findings


def _check_feeds(settings: Settings, findings: Findings) -> None:
    from services.ingest import sources
    from services.settings import SettingsError

    for name, at in settings.feeds.items():  # one at a time: a mistake in one hides none of another
        findings.feeds[name] = shown(at.url)
        try:
            (source,) = sources(settings, [name])
        except SettingsError as error:
            own = [mistake for mistake in error.mistakes if mistake not in findings.mistakes]
            findings.mistakes += own
            continue
        findings.feeds[name] = f"{shown(at.url)}  {_read_as(source)}"
        if (wrong := asyncio.run(_wrong_address(source)) or _no_place(source.url)) is not None:
            findings.mistakes.append(f"feeds.{name}.url: {wrong}")


def _read_as(source: Source) -> str:
    """How the transport reads the address."""
    parts = urlsplit(source.url)
    words = [type(source.feed.transport).__name__]
    for name, value in (("host", parts.hostname), ("port", _port(source.url)), ("path", _path(source.url))):
        words += [f"{name} {value}"] if value is not None else []
    words += [f"user {source.credentials.user}"] if source.credentials is not None else []
    return ", ".join(words)


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        return None


def _path(url: str) -> str | None:
    """The path in an address; of a database in a file as the file system knows it."""
    parts = urlsplit(url)
    path = parts.path.removeprefix("/") if parts.scheme.startswith("sqlite") else parts.path
    return path or None


def _no_place(url: str) -> str | None:
    """What is wrong with the address of a file or directory of this machine."""
    scheme = urlsplit(url).scheme
    path = unquote(_path(url) or "") if scheme else url
    on_this_machine = scheme in ("", "file") or scheme.startswith("sqlite")
    if not on_this_machine or (path and Path(path).exists()):
        return None
    return f"{path or '(nothing)'}: there is no such file or directory"


async def _wrong_address(source: Source) -> str | None:
    """What is wrong with an address, as far as that is seen without speaking to anybody."""
    from adapters.core import SourceDown

    try:
        connection = source.open()
    except (ValueError, SourceDown) as error:
        return str(error)
    await connection.close()
    return None


def _check_keys(settings: Settings, findings: Findings) -> None:
    from adapters.core import Pushed
    from adapters.registry import systems
    from services.settings import SettingsError
    from services.wiring import signing_keys

    try:
        signing_keys(settings)
    except SettingsError as error:
        findings.mistakes += error.mistakes
    known = systems()
    for id, key in settings.door.keys.items():
        system = known.get(key.system)
        if system is None or not any(isinstance(feed.transport, Pushed) for feed in system.feeds):
            findings.mistakes.append(f"door.keys.{id}.system: {key.system} is no system that pushes")


def _check_files(settings: Settings, findings: Findings) -> None:
    from links.private_file import UnsafeFile, check_private

    for name, path in _files(settings):
        last = name.rpartition(".")[2]
        if not path.exists():
            findings.files[name] = f"{path}, is not there"
            findings.mistakes.append(f"{name}: {path} is not there")
            continue
        findings.files[name] = f"{path}, mode {stat.S_IMODE(path.stat().st_mode):o}"
        if last in _PRIVATE and path.is_file():
            try:
                check_private(path)
            except (UnsafeFile, OSError) as error:
                findings.mistakes.append(f"{name}: {error}")


def _files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Yield each setting that names a file or directory that has to be there."""
    yield from _paths(settings, "")
    for name, at in settings.feeds.items():
        for option, value in at.options.items():
            if option in _FILES and isinstance(value, str):
                yield f"feeds.{name}.options.{option}", Path(value)


def _paths(model: BaseModel, before: str) -> Iterator[tuple[str, Path]]:
    for name, value in model:
        where = f"{before}{name}"
        if isinstance(value, BaseModel):
            yield from _paths(value, f"{where}.")
        elif isinstance(value, Mapping):
            for key, each in value.items():
                if isinstance(each, BaseModel):
                    yield from _paths(each, f"{where}.{key}.")
        elif isinstance(value, Path) and where != "data_dir":
            yield where, value


def shown(url: str) -> str:
    """Return an address without what is secret in it: a password, and all that stands behind the question mark."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(cannot be read)"
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    netloc = f"{name}{':***' if colon else ''}{at}{host}"
    rest = f"{parts.path}{'?***' if parts.query else ''}"
    return f"{parts.scheme}://{netloc}{rest}" if "://" in url else rest
