"""`visabus schemas`: the published JSON Schemas and the AsyncAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

import schemas
from services.cli.context import Refusal

PUBLISHED = Path(schemas.__file__).parent / "published"

Directory = Annotated[
    Path, typer.Argument(metavar="DIRECTORY", help="Where the documents are; the package's own if not said.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="The JSON Schemas and the AsyncAPI document of the bus.")
    group.command()(check)
    group.command()(write)
    app.add_typer(group, name="schemas")


def check(directory: Directory = PUBLISHED) -> None:
    """Say whether the documents are what the models give; exit code 1 if not.

    visabus schemas check
    """
    wrong = list(differences(directory))
    if wrong:
        raise Refusal("; ".join([*wrong, f"run `visabus schemas write {directory}`"]))
    typer.echo(f"{directory}: as the models say")


def write(directory: Directory = PUBLISHED) -> None:
    """Write the documents, generated from the models.

    visabus schemas write /tmp/contracts
    """
    from schemas.documents import documents

    directory.mkdir(parents=True, exist_ok=True)
    for name, content in documents().items():
        (directory / name).write_bytes(content)
        typer.echo(directory / name)


def differences(directory: Path) -> Iterator[str]:
    """What is missing, other than generated, or there without being generated."""
    from schemas.documents import documents

    present = {path.name: path.read_bytes() for path in directory.glob("*.json")}
    generated = documents()
    for name in sorted(generated.keys() | present.keys()):
        if name not in present:
            yield f"{name} is missing"
        elif name not in generated:
            yield f"{name} belongs to no model"
        elif present[name] != generated[name]:
            yield f"{name} is out of date"
