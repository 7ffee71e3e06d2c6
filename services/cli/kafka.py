"""`visabus kafka`: the local Apache Kafka, for trying things out."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.context import settings_of


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="A local Apache Kafka of one node, below the data directory.")
    group.command()(start)
    group.command()(stop)
    app.add_typer(group, name="kafka")


def start(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: the port it had before, or a free one.")] = 0,
) -> None:
    """Start Kafka, or leave it running, and print its address for `--bus`.

    visabus --bus "$(visabus kafka start)" topics create
    """
    from services.kafka_local import start

    typer.echo(f"kafka://{start(settings_of(context).data_dir / 'kafka', port)}")


def stop(context: typer.Context) -> None:
    """Stop Kafka in good order; the data stay."""
    from services.kafka_local import stop

    stop(settings_of(context).data_dir / "kafka")
