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
    Path, typer.Argument(metavar="DIRECTORY", help="Where the documents are; by default the package's own.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="The JSON Schemas and the AsyncAPI document of the bus.")
    group.command()(check)
    group.command()(write)
    app.add_typer(group, name="schemas")


def check(
    directory: Directory = PUBLISHED,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="DIRECTORY",
            exists=True,
            file_okay=False,
            help="Documents published before, which must not be broken.",
        ),
    ] = None,
) -> None:
    """Say whether the documents are what the models give, or what they break; exit code 1 if not, or if something.

    With --against the models are compared with documents that were published before: what they would refuse of it
    (backward), and what a reader of then would refuse of theirs (forward). A higher schema_version announces a break.

        visabus schemas check
        visabus schemas check --against /srv/contracts/2026-11
    """
    wrong = list(differences(directory) if against is None else broken(against))
    if against is not None and wrong:
        raise Refusal("\n".join(["what was published is broken", *(f"  {each}" for each in wrong)]))
    if wrong:
        raise Refusal("; ".join([*wrong, f"run `visabus schemas write {directory}`"]))
    typer.echo(f"{directory}: as the models say" if against is None else f"{against}: nothing of it is broken")


def write(directory: Directory = PUBLISHED) -> None:
    """Write the documents, generated from the models.

    visabus schemas write /tmp/contracts
    """
    from schemas.documents import documents

    directory.mkdir(parents=True, exist_ok=True)
    for name, content in documents().items():
        (directory / name).write_bytes(content)
        typer.echo(directory / name)


def broken(directory: Path) -> Iterator[str]:
    """Yield what the present models break of documents published before. Raises Refusal where there are none."""
    import orjson

    from schemas.compatibility import document_refusals, refusals
    from schemas.documents import ASYNCAPI, documents

    present = documents()
    published = {path.name: path.read_bytes() for path in sorted(directory.glob("*.json"))}
    if not published.keys() & present.keys():
        raise Refusal(f"there are no documents of ours in {directory}")
    for name, content in published.items():
        if name not in present:
            yield f"{name} is no longer published"
            continue
        compare = document_refusals if name == ASYNCAPI else refusals
        for change in compare(orjson.loads(content), orjson.loads(present[name])):
            yield f"{name}: {change}"


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
