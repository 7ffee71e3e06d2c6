"""What every command has from the options before it, and how a foreseen error ends: one line, and what to do."""

from __future__ import annotations

import errno
import os
import shlex
import stat
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from services.addresses import file_of

if TYPE_CHECKING:
    from services.settings import Settings

FAILED = 1
MISUSED = 2
"""Exit codes: something could not be done; it was asked for wrongly (arguments or settings)."""
OTHERS = 0o077
"""What group and others may not do with files of this project: the mask of every process."""


@dataclass(frozen=True, slots=True)
class Given:
    """The options before the command."""

    settings: Path | None = None
    bus: str | None = None
    store: str | None = None
    data: Path | None = None


class Refusal(Exception):
    """A command that cannot do what it was asked; the text says what to do."""

    def __init__(self, text: str, code: int = FAILED) -> None:
        super().__init__(text)
        self.code = code


def refuse_password(option: str, url: str | None, elsewhere: str) -> None:
    """Refuse an address with a password on the command line: every user of the machine can read it (`ps`).

    `elsewhere` says where it is given instead. Raises Refusal.
    """
    from services.settings import has_password

    if url is not None and has_password(url):
        raise Refusal(
            f"{option}: a password on the command line can be read by every user of this machine; leave it out, and "
            f"give {elsewhere}",
            MISUSED,
        )


def warn_of_password(option: str, url: str) -> None:
    """Say that a password in an address of the command line is no secret, where there is no other place for it."""
    from services.settings import has_password

    if has_password(url):
        typer.echo(f"visabus: {option}: a password here can be read by every user of this machine", err=True)


STORE_ELSEWHERE = (
    "the whole address as VISABUS_STORE_URL in the environment, in a file that VISABUS_STORE_URL_FILE names or that "
    "is called store_url in VISABUS_SECRETS_DIR; or the password in a file of libpq's form that PGPASSFILE names"
)
FEED_ELSEWHERE = (
    'user and secret of [feeds."..."] in the settings, or the secret in a file of VISABUS_SECRETS_DIR '
    "(docs/settings.md)"
)


def settings_of(context: typer.Context, **overrides: Any) -> Settings:
    """The settings in force; `overrides` as in `services.settings.load`. Raises SettingsError."""
    from services.settings import load

    given = context.find_object(Given) or Given()
    refuse_password("--store", given.store, STORE_ELSEWHERE)
    settings = load(given.settings, bus_url=given.bus, store_url=given.store, data_dir=given.data, **overrides)
    refuse_open(settings)
    return settings


def sources_of(context: typer.Context) -> list[Path]:
    """The files and directories that the settings were read from."""
    from services.settings import FILE_VARIABLE, SECRETS_VARIABLE

    given = context.find_object(Given) or Given()
    named = [given.settings, os.environ.get(FILE_VARIABLE), os.environ.get(SECRETS_VARIABLE)]
    return list(dict.fromkeys(Path(each) for each in named if each))


def refuse_open(settings: Settings) -> None:
    """Refuse a data directory, or a database in a file elsewhere, that others than its owner can enter, read or write.

    A database in a closed data directory could be reached by nobody else: it is closed, and a line says so. What is
    made later is closed by the mask of the process. Raises Refusal.
    """
    directory = settings.data_dir
    if directory.is_dir():
        _refuse_open(directory, f"chmod -R go= {shlex.quote(str(directory))}")
        for file in directory.glob("*.db*"):
            _close(file)
    for path in (file_of(url) for url in (settings.bus_url, settings.store_url, settings.audit_url)):
        if path is not None:
            _refuse_open(path, f"chmod 600 {shlex.quote(str(path))}*")


def _close(file: Path) -> None:
    """Close a file of a closed directory, such as a backup that was put back by a program with another mask."""
    try:
        mode = stat.S_IMODE(file.lstat().st_mode)
        if file.is_symlink() or not mode & OTHERS:
            return
        file.chmod(mode & ~OTHERS)
    except FileNotFoundError:
        return
    except OSError:
        _refuse_open(file, f"chmod 600 {shlex.quote(str(file))}*")
        return
    typer.echo(f"visabus: {file} had mode {mode:o} and was closed to others than its owner", err=True)


def _refuse_open(path: Path, mending: str) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return
    if mode & OTHERS:
        raise Refusal(f"{path} is open to others than its owner (mode {mode:o}), and tells of persons: {mending}")


def need(url: str, what: str, maker: str) -> None:
    """Refuse the address of a file that is not there: to open it would make it, and an empty one answers everything.

    Raises Refusal.
    """
    file = file_of(url)
    if file is None or file.exists():
        return
    above = next((each for each in file.parents if each.exists()), None)
    if above is not None and not above.is_dir():
        raise Refusal(f"there is no {what} at {file}: {above} is a file and no directory", MISUSED)
    raise Refusal(f"there is no {what} at {file}; `visabus {maker}` makes it")


def instant_of(text: str | None) -> datetime | None:
    """The instant that an option names, in UTC where it has no offset; None for None. Raises Refusal."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(f"{text!r} is no RFC 3339 instant; write 2026-11-24T00:00:00Z", MISUSED) from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def system_named(name: str | None) -> str | None:
    """Return a system's name as its adapter has it, however it was written; None for None.

    A name that no system has would find nothing, which looks as if there were nothing. Raises Refusal.
    """
    if name is None:
        return None
    from adapters.registry import RESERVED, systems
    from services.nearest import no_system

    known, written = {*systems(), *RESERVED}, name.upper()
    if written in known:
        return written
    system = written.partition(".")[0]
    if system in known:
        raise Refusal(f"{name} is a feed, and its system is {system}", MISUSED)
    raise Refusal(no_system(name, known), MISUSED)


def start_logs(settings: Settings) -> None:
    """Logs to standard error, as the settings say."""
    from services.logs import configure

    configure(settings.log.level, settings.log.form)


def examples_by_line(text: str) -> str:
    """Return a help text in which examples stay a line each, fenced: their indent is taken where it is shown."""
    paragraphs = text.split("\n\n")
    for at, paragraph in enumerate(paragraphs):
        lines = [line.strip() for line in paragraph.splitlines()]
        if lines and all(line.startswith("visabus ") for line in lines):
            paragraphs[at] = "\n".join(("```text", *lines, "```"))
    return "\n\n".join(paragraphs)


PLACES = frozenset({"--settings", "--bus", "--store", "--data"})
"""Options that say where things are, common to all commands."""


class Commands(TyperGroup):
    """Ends a foreseen error with its text and an exit code. Others keep their traceback: they are bugs.

    Options that say where things are may stand behind the command as well.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, with options of all commands brought before the command: what is said last counts."""
        return super().parse_args(ctx, places_first(self, args))

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        before = _CURRENT.set(ctx)
        try:
            return super().invoke(ctx)
        except Exception as error:  # looked at by type, which needs imports that a good run should not pay for
            code = _foreseen(error)
            if code is None:
                raise
            typer.echo(f"visabus: {_of_files(error) if isinstance(error, OSError) else error}", err=True)
            raise typer.Exit(code) from None
        finally:
            _CURRENT.reset(before)


_CURRENT: ContextVar[Any] = ContextVar("command", default=None)


def current_command() -> Any:
    """The context of the command that runs, None outside of one.

    typer carries a click of its own, so what the package click says is of no command of ours.
    """
    return _CURRENT.get()


def places_first(group: Any, arguments: Sequence[str]) -> list[str]:
    """Bring what says where things are, and the command has no option of that name for, right before the command."""
    before: list[str] = []
    places: list[str] = []
    rest: list[str] = []
    command, words = group, iter(arguments)
    for word in words:
        name, given, _ = word.partition("=")
        own = next((each for each in command.params if name in each.opts), None)
        if word == "--":
            rest += [word, *words]
        elif command is group and own is not None:
            before += [word] if given or own.is_flag else [word, *islice(words, 1)]
        elif command is group or name not in PLACES or own is not None:
            command = getattr(command, "commands", {}).get(word, command)
            (before if command is group else rest).append(word)
        else:
            places += [word] if given else [word, *islice(words, 1)]
    return before + places + rest


_OF_FILES = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE),
    *(errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.ENAMETOOLONG, errno.ELOOP),
)
"""What a place given by a person, or the machine, can be wrong in: no bug of a command that meets it."""


def _of_files(error: OSError) -> str:
    """What is wrong with a file, and with which."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or type(error).__name__}"


def _foreseen(error: Exception) -> int | None:
    from adapters.registry import MalformedSystem
    from bus.contract import BusError
    from services.feeds.ownership import FeedHeld
    from services.kafka_local import KafkaUnavailable
    from services.keyring import UnsafeKey
    from services.metrics.exporter import PortTaken
    from services.settings import SettingsError
    from services.store.contract import Incomplete, OtherConfiguration, StoreDown

    if isinstance(error, Refusal):
        return error.code
    if isinstance(error, SettingsError):
        return MISUSED
    if isinstance(error, OSError):
        return FAILED if error.errno in _OF_FILES else None
    outside = BusError | FeedHeld | KafkaUnavailable | PortTaken | StoreDown
    foreseen = outside | MalformedSystem | OtherConfiguration | Incomplete | UnsafeKey
    return FAILED if isinstance(error, foreseen) else None
