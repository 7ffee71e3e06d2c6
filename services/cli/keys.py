"""`visabus keys`: the keys by which the ingest of each system is known to the correlator."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.context import MISUSED, Refusal, settings_of

if TYPE_CHECKING:
    from services.authority.keys import SigningKey

SystemsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="SYSTEM...", help="Such as I94; VISABUS for persons' decisions.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="Keys that events are signed with: make, rotate, list.")
    group.command()(make)
    group.command()(rotate)
    group.command("list")(list_)
    app.add_typer(group, name="keys")


def make(
    context: typer.Context,
    systems: SystemsArgument = None,
    everyone: Annotated[bool, typer.Option("--all", help="For each system, and for persons' decisions.")] = False,
) -> None:
    """Make the first key of systems, each in a file of its own in the directory that `signing.keys` names.

    The process that reads a system is given that one file; the correlator is given all. Events that stand on the bus
    unsigned are dead letters from then on where they are read anew: set keys before the first event, or read the
    sources again.

    ```
    VISABUS_SIGNING__KEYS=/etc/visabus/keys visabus keys make --all
    visabus keys make I94 VISABUS
    ```
    """
    from services.authority.keys import make as make_key
    from services.authority.keys import path_of

    directory = _directory(context)
    names = _known() if everyone else systems or []
    if not names:
        raise Refusal("name systems, or say --all", MISUSED)
    if not everyone:
        _check(names)
    for name in names:
        try:
            key = make_key(directory, name)
        except FileExistsError:
            typer.echo(f"{name}  has its keys in {path_of(directory, name)}; `visabus keys rotate {name}` adds one")
        except OSError as error:
            raise Refusal(f"{directory}: {error.strerror}") from None
        else:
            typer.echo(f"{name}  {key.id}  {path_of(directory, name)}")


def rotate(
    context: typer.Context,
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="Such as I94.")],
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%dT%H:%M:%S%z"], help="When it begins to sign; now.")
    ] = None,
) -> None:
    """Add a key that signs from a moment on. What the keys before it have signed stays good as long as they stand.

    Give the file to the correlator first, then to the process that reads the system. A key that got into other hands
    is taken out of the file: what it signed is refused wherever it is read anew, and read again from its source.

    ```
    visabus keys rotate I94 --from 2027-01-01T00:00:00+0000
    ```
    """
    from services.authority.keys import path_of
    from services.authority.keys import rotate as add_key
    from services.keyring import UnsafeKey

    directory = _directory(context)
    try:
        key = add_key(directory, system, since or datetime.now(UTC).replace(microsecond=0))
    except FileNotFoundError:
        raise Refusal(f"{system} has no key in {directory}; `visabus keys make {system}` makes one") from None
    except (UnsafeKey, OSError) as error:
        raise Refusal(str(error)) from None
    typer.echo(f"{system}  {key.id}  {path_of(directory, system)}")


def list_(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
) -> None:
    """List the keys by their ids, with the time in which each signs. No key is shown.

    ```
    visabus keys list
    ```
    """
    from services.authority.keys import SUFFIX, keys_in
    from services.keyring import UnsafeKey

    directory = _directory(context)
    if not directory.is_dir():
        raise Refusal(f"there is no directory {directory}; `visabus keys make --all` makes it")
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        try:
            keys = keys_in(path)
        except (UnsafeKey, OSError) as error:
            raise Refusal(str(error)) from None
        for key in keys:
            typer.echo(json.dumps(_body(key)) if as_json else _line(key))


def _body(key: SigningKey) -> dict[str, str]:
    bounds = (word.partition("=") for word in key.line().split()[1:])
    return {"system": key.system, "id": key.id} | {name: at for name, _, at in bounds}


def _line(key: SigningKey) -> str:
    return " ".join((f"{key.system}  {key.id}", *key.line().split()[1:]))


def _directory(context: typer.Context) -> Path:
    directory = settings_of(context).signing.keys
    if directory is None:
        raise Refusal("signing.keys names no directory; see docs/settings.md", MISUSED)
    return directory


def _known() -> list[str]:
    from adapters.registry import systems
    from services.authority import EXAMINERS

    return [*systems(), EXAMINERS]


def _check(names: list[str]) -> None:
    import re

    for name in names:
        if not re.fullmatch(r"[A-Z0-9][A-Z0-9/_-]{0,11}", name):
            raise Refusal(f"{name!r} is no name of a system; `visabus adapters` lists them", MISUSED)
