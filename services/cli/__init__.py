"""The command line. Each module of this package is a command or a group of them, and registers itself.

A new command is a module with `register(app: typer.Typer) -> None` and its name in the list below. Modules import what
they run inside their commands, so that `visabus --help` stays quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from typing import Annotated

import typer

from services.cli.context import OTHERS, Commands, Given, examples_by_line

COMMANDS = (
    "adapters",
    "answer",
    "ask",
    "audit",
    "connector",
    "correlate",
    "dead_letters",
    "decode",
    "demo",
    "door",
    "evaluate",
    "export",
    "feeds",
    "ingest",
    "kafka",
    "keys",
    "matches",
    "metrics",
    "rebuild",
    "receipts",
    "report",
    "retract",
    "schemas",
    "serve",
    "settings",
    "simulate",
    "status",
    "token",
    "topics",
    "trace",
)

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    # a traceback with local variables would show whom the records speak of
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    """Print the version of the installed program, and end."""
    if asked:
        from importlib.metadata import version

        typer.echo(f"visabus {version('visabus')}")
        raise typer.Exit


@app.callback()
def visabus(
    context: typer.Context,
    settings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings, TOML.", envvar="VISABUS_SETTINGS")
    ] = None,
    bus: Annotated[str | None, typer.Option(metavar="URL", help="embedded:///path/bus.db or kafka://host:port")] = None,
    store: Annotated[
        str | None, typer.Option(metavar="URL", help="sqlite+aiosqlite:////path/store.db or postgresql://...")
    ] = None,
    data: Annotated[Path | None, typer.Option(metavar="DIRECTORY", help="Local data; by default ./var.")] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version, and end.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """One bus for the legacy systems that know about visa holders, and a visa-status view over it.

    Every setting can stand in a TOML file, in the environment (`VISABUS_API__PORT=8080`) or in a secrets directory
    (`VISABUS_SECRETS_DIR`). A first look, which publishes nothing:

        visabus adapters
        visabus decode I94 nightly-20261124.dat
    """
    context.call_on_close(partial(os.umask, os.umask(OTHERS)))
    context.obj = Given(settings, bus, store, data)


def needed(arguments: Sequence[str]) -> list[str]:
    """Return the commands that a process started with these arguments may run: those it names, or all.

    Most of the time to start goes into modules of other commands.
    """
    named = [name for name in COMMANDS if name in {word.replace("-", "_") for word in arguments}]
    return named if named and not {"--help", "-h"} & set(arguments) else list(COMMANDS)


for name in needed(sys.argv[1:]) if Path(sys.argv[0]).name == "visabus" else COMMANDS:
    import_module(f"{__name__}.{name}").register(app)


def _examples(group: typer.Typer) -> None:
    for command in group.registered_commands:
        if command.callback is not None and command.help is None and command.callback.__doc__:
            command.help = examples_by_line(cleandoc(command.callback.__doc__))
    for below in group.registered_groups:
        if below.typer_instance is not None:
            _examples(below.typer_instance)


_examples(app)
