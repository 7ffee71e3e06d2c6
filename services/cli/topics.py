"""`visabus topics`."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.context import MISUSED, Refusal, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.authority.accounts import Rule
    from services.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="The topics of the bus.")
    group.command()(create)
    group.command()(acls)
    app.add_typer(group, name="topics")


def create(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
) -> None:
    """Create the topics that are missing; those that stand are left as they are.

    visabus --bus kafka://127.0.0.1:9092 topics create
    """
    settings = settings_of(context)
    asyncio.run(_declare(settings))
    from services.wiring import topics

    for topic in topics():
        body = {"topic": topic.name, "partitions": topic.partitions, "compacted": topic.compacted}
        line = f"{topic.name}  {topic.partitions}{'  compacted' if topic.compacted else ''}"
        typer.echo(json.dumps(body) if as_json else line)


def acls(
    context: typer.Context,
    make: Annotated[
        bool, typer.Option("--apply/--print", help="Make the rules in Kafka, or print the commands that do.")
    ] = False,
    prefix: Annotated[str, typer.Option(help="How the names of the accounts begin.")] = "visabus-",
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line, one for each rule.")] = False,
) -> None:
    """Give each process, and the ingest of each system, an account's rights on Kafka: what it needs and nothing else.

    The rules are those of the systems that this program knows; run it again when a system comes. Accounts themselves
    (SCRAM users, certificates) are made with Kafka's own tools. To make rules is a right of its own (Alter on the
    cluster), and Kafka needs an authoriser: `authorizer.class.name`.

    ```
    visabus topics acls --print
    visabus topics acls --json | jq -r 'select(.operation == "write") | .account + " " + .name'
    visabus --bus kafka://kafka-1.example:9093 topics acls --apply
    ```
    """
    from adapters.registry import systems
    from services.authority.accounts import accounts, rules

    known = accounts(systems(), prefix)
    wanted = rules(known)
    settings = settings_of(context)
    purposes = {account.name: account.purpose for account in known}
    if as_json:
        for rule in wanted:
            typer.echo(json.dumps(asdict(rule) | {"purpose": purposes[rule.account]}))
    if not make:
        if as_json:
            return
        servers = settings.bus_url.removeprefix("kafka://").partition("?")[0]
        for account in known:
            typer.echo(f"# {account.name}: {account.purpose}")
            for rule in rules([account]):
                typer.echo(rule.command(servers if settings.bus_url.startswith("kafka://") else "HOST:PORT"))
        return
    if not settings.bus_url.startswith("kafka://"):
        raise Refusal("only a bus on Kafka has accounts; name it by --bus kafka://host:port", MISUSED)
    asyncio.run(_allow(settings, wanted))
    typer.echo(f"{len(wanted)} rules of {len(known)} accounts stand", err=as_json)


async def _allow(settings: Settings, wanted: Sequence[Rule]) -> None:
    from bus.kafka import KafkaBus
    from bus.kafka_acls import Allowed
    from services.wiring import open_bus

    bus = await open_bus(settings)
    try:
        own = getattr(bus, "inner", bus)
        if not isinstance(own, KafkaBus):
            raise TypeError("no bus on Kafka")
        await own.allow(
            Allowed(f"User:{rule.account}", rule.resource, rule.name, rule.operation, rule.prefixed) for rule in wanted
        )
    finally:
        await bus.close()


async def _declare(settings: Settings) -> None:
    from services.wiring import declared_bus

    async with declared_bus(settings):
        return
