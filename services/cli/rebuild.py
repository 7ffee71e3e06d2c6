"""`visabus rebuild`: a new view beside the live one, compared with it, and switched to."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.audited import StatedReason, remember
from services.cli.context import MISUSED, Given, Refusal, need, settings_of, start_logs

if TYPE_CHECKING:
    from services.rebuild.comparing import Difference
    from services.rebuild.running import Options
    from services.rebuild.target import Engine, NewStore
    from services.settings import Settings

MOST = 4
"""Correlators where nothing else is said, at most: more gain little beside one database."""


class EngineName(StrEnum):
    """Who fills the new view."""

    CORRELATORS = "correlators"
    SPARK = "spark"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rebuild)


def rebuild(
    context: typer.Context,
    compare: Annotated[
        bool | None,
        typer.Option("--compare/--no-compare", help="Compare with the live view; by default unless --switch is given."),
    ] = None,
    differences: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write whom the new view answers otherwise, a JSON object a line."),
    ] = None,
    switch: Annotated[
        bool, typer.Option("--switch", help="Make the new view the live one: API and correlators go over to it.")
    ] = False,
    tell_changes: Annotated[
        bool,
        typer.Option("--tell-changes", help="Publish answers that are other ones, as changes; alone: those held back."),
    ] = False,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Remove what was live before the last switch; then there is no way back.")
    ] = False,
    discard: Annotated[bool, typer.Option("--discard", help="Give up the rebuild that is under way.")] = False,
    engine: Annotated[EngineName, typer.Option(help="Who reads the bus into the new view.")] = EngineName.CORRELATORS,
    master: Annotated[
        str | None, typer.Option(metavar="MASTER", help="With --engine spark: local[*], spark://host:port or k8s://...")
    ] = None,
    workdir: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="With --engine spark: a directory or address that all its machines share."),
    ] = None,
    jars: Annotated[
        Path | None,
        typer.Option(metavar="DIRECTORY", help="With --engine spark: its source of Kafka (deploy/spark/jars)."),
    ] = None,
    events: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="With --engine spark: files of canonical events, in the place of the bus."),
    ] = None,
    parts: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, metavar="N", help="With --engine spark: into so many parts pools are cut."),
    ] = None,
    spark: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="With --engine spark: a setting of Spark's, spark.executor.memory=8g."),
    ] = None,
    correlators: Annotated[
        int | None,
        typer.Option(min=1, max=64, metavar="N", help="So many correlators; by default as the machine bears."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Progress and result as JSON objects, one a line.")] = False,
    why: StatedReason = "",
) -> None:
    """Build the view anew from the bus, beside the live one, which goes on answering; then compare, then switch.

    Nothing that runs is stopped: API and correlators go on with the live view, and a rebuild that is killed goes on
    where it was when this is run again. The new view is a file beside that of the store (`store-2.db`), or a schema of
    the same database. It takes the room of a second view until `--drop-old`.

        visabus rebuild                                 # builds, compares, prints what would change; changes nothing
        visabus rebuild --compare --differences new.jsonl --why "rules of July"     # again, with a list of persons
        visabus rebuild --switch                        # makes it the live one
        visabus rebuild --drop-old                      # once nobody wants the old view back

    Both views are compared at one point of the bus. With the same rules they are equal byte for byte, and have the
    digest that `visabus export --digest` prints. With other rules the summary says how many persons' answers change,
    from which outcome to which; the live view is then served by the old program, and this is run by the new one.

    The switch is one transaction. Look-ups go on meanwhile; correlators wait a moment, and go over by themselves if
    their program has the rules of the new view. Changes are numbered on without a gap. Answers that the new view gives
    otherwise are held back until something next happens to the person, or told at once with --tell-changes; alone, at
    any time later, that tells those that are held back. What the law keeps confidential is in none of it but the word
    whether the views are equal.
    """
    settings = settings_of(context)
    need(settings.store_url, "store", "correlate")
    need(settings.bus_url, "bus", "ingest")
    _check(switch=switch, discard=discard, drop_old=drop_old, compare=compare, differences=differences)
    options = {"master": master, "workdir": workdir, "jars": jars, "files": events, "parts": parts, "spark": spark}
    given_options = {name: value for name, value in options.items() if value not in (None, [])}
    if given_options and engine is not EngineName.SPARK:
        name = "events" if "files" in given_options else min(given_options)
        raise Refusal(f"--{name} goes with --engine spark", MISUSED)
    if switch or differences is not None:  # who had whom answered otherwise, and who was told of persons
        remember(settings, "rebuild", why=why)
    start_logs(settings)
    given = context.find_object(Given) or Given()
    comparing = not switch if compare is None else compare
    asked = Asked(comparing, compare is False, differences, switch, tell_changes, drop_old, discard, as_json)
    fillers = _Fillers(engine, given_options, correlators or _bearable(settings), given)
    asyncio.run(_run(settings, asked, fillers))


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be done."""

    compare: bool
    unseen: bool  # switch although nothing was compared
    differences: Path | None
    switch: bool
    tell: bool
    drop_old: bool
    discard: bool
    as_json: bool

    @property
    def build(self) -> bool:
        """Whether it is about a view that is being built."""
        return self.switch or not (self.tell or self.drop_old or self.discard)


def _check(*, switch: bool, discard: bool, drop_old: bool, compare: bool | None, differences: Path | None) -> None:
    if discard and (switch or drop_old or compare):
        raise Refusal("--discard gives up what the other options go on with", MISUSED)
    if differences is not None and (compare is False or (switch and not compare)):
        raise Refusal("--differences needs --compare", MISUSED)


def _bearable(settings: Settings) -> int:
    """Correlators that the machine bears: a file has one writer, a server as many as this machine has processors."""
    return 1 if settings.store_url.startswith("sqlite") else max(1, min(MOST, os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class _Fillers:
    """Who fills the new view."""

    engine: EngineName
    options: Mapping[str, object]  # of the engine
    correlators: int
    given: Given

    def engines(self, *, built: bool) -> Iterator[Engine]:
        """The engine that was asked for, unless it is done, and correlators for what came since. Raises NoRebuild."""
        from services.rebuild.correlators import Fill
        from services.rebuild.target import engine_of

        if self.engine is not EngineName.CORRELATORS and not built:
            yield engine_of(self.engine, **self.options)
        yield Fill(self._others if self.correlators > 1 else None)

    @asynccontextmanager
    async def _others(self, new: NewStore) -> AsyncIterator[None]:
        """All but the one of this process; they end with it, however it ends."""
        from services.cli.children import GRACE_SECONDS, VISABUS
        from services.cli.workers import before

        arguments = [*before(self.given), "correlate", "--hold", "--edition", str(new.number), "--with-parent"]
        started = [
            await asyncio.create_subprocess_exec(
                str(VISABUS), *arguments, stdin=PIPE, stdout=DEVNULL, start_new_session=True
            )
            for _ in range(self.correlators - 1)
        ]
        try:
            yield
        finally:
            for each in started:
                if each.stdin is not None:
                    each.stdin.close()
            waiting = [asyncio.create_task(each.wait()) for each in started]
            await asyncio.wait(waiting, timeout=GRACE_SECONDS)
            for each in started:
                if each.returncode is None:
                    each.kill()
            await asyncio.gather(*waiting)


async def _run(settings: Settings, asked: Asked, fillers: _Fillers) -> None:
    from services.cli.meter import Meter
    from services.cli.signals import stop_on_signals
    from services.memory import collect_rarely
    from services.rebuild.catching_up import Stopped
    from services.rebuild.running import Options
    from services.rebuild.target import NoRebuild

    collect_rarely()
    options = Options(Meter("events", as_json=asked.as_json), stop_on_signals(settings.deadlines.stop))
    say = _said(as_json=asked.as_json)
    try:
        if asked.discard:
            await _discard(settings, say)
        if asked.build:
            await _build(settings, asked, fillers, options, say)
        elif asked.tell:
            await _tell(settings, say)
        if asked.drop_old:
            await _drop(settings, options, say)
    except NoRebuild as error:
        raise Refusal(str(error)) from None
    except Stopped:
        raise Refusal("stopped; the live view is as it was. Run the same again to go on") from None


Say = Callable[[dict[str, Any], list[str]], None]


def _said(*, as_json: bool) -> Say:
    def say(body: dict[str, Any], lines: list[str]) -> None:
        import orjson

        typer.echo(orjson.dumps(body).decode() if as_json else "\n".join(lines))

    return say


async def _build(settings: Settings, asked: Asked, fillers: _Fillers, options: Options, say: Say) -> None:
    """Fill, and as asked compare and switch; how far it is can be seen by others meanwhile."""
    from services.rebuild import running
    from services.rebuild.reporting import reported
    from services.rebuild.target import NoRebuild, begin

    unseen = asked.switch and not asked.compare
    new = await begin(settings.store_url, begun=unseen)
    if unseen and not asked.unseen and await running.noted(settings, new) is None:
        raise NoRebuild(
            "the new view was not compared with the live one yet: `visabus rebuild` does, and prints what would"
            " change; --no-compare switches unseen"
        )
    async with reported(settings, new, options.progress) as reporter:
        await _built(settings, asked, fillers, replace(options, progress=reporter), new, say)


async def _built(
    settings: Settings, asked: Asked, fillers: _Fillers, options: Options, new: NewStore, say: Say
) -> None:
    from services.rebuild import running

    for engine in fillers.engines(built=asked.switch and not asked.compare):
        new = await running.fill(settings, engine, options)
    if asked.compare:
        await _compare(settings, asked, new, options, say)
    elif not asked.switch:
        await running.follow(settings, new, options)
    if not asked.switch:
        if not asked.as_json:
            typer.echo("nothing is switched: `visabus rebuild --switch` does that, `--discard` gives the new view up")
        return
    done = await running.switch(settings, new, options, tell=asked.tell)
    publishing = "told as changes" if asked.tell else "held back (`visabus rebuild --tell-changes` tells them)"
    lines = [
        f"edition {done.edition} is live, {new.place}; correlators waited {done.seconds:.1f} s, look-ups did not wait",
        f"pools of records with answers that are other ones: {done.held:,}, {publishing}",
    ]
    if not asked.drop_old:
        lines.append(f"edition {done.before} is kept: `visabus rebuild --drop-old` removes it")
    body = {"switched": done.edition, "before": done.before, "other_answers_in_pools": done.held, "told": asked.tell}
    say(body | {"seconds": round(done.seconds, 3)}, lines)


async def _compare(settings: Settings, asked: Asked, new: NewStore, options: Options, say: Say) -> None:
    from services.rebuild import running
    from services.rebuild.comparing import in_words

    with ExitStack() as opened:
        writing = None if asked.differences is None else opened.enter_context(_written(asked.differences))
        result = (await running.compare(settings, new, options, writing)).as_json()
    say({"compared": result}, list(in_words(result)))


@contextmanager
def _written(path: Path) -> Iterator[Callable[[Difference], None]]:
    """What writes differences into a file, which is there once all of them are. Raises Refusal."""
    import msgspec

    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            yield lambda one: _line(file.write, msgspec.json.encode(one))
        partial.replace(path)
    except OSError as error:
        raise Refusal(f"--differences {path}: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)


def _line(write: Callable[[bytes], object], line: bytes) -> None:
    write(line + b"\n")


async def _discard(settings: Settings, say: Say) -> None:
    from services.rebuild.cleanup import discard

    numbers = await discard(settings.store_url)
    say({"discarded": numbers}, [f"given up: edition {number}" for number in numbers] or ["no rebuild was under way"])


async def _tell(settings: Settings, say: Say) -> None:
    from services.rebuild.changes import tell
    from services.store import open_store

    live = await open_store(settings.store_url)
    try:
        count = await tell(live, int(datetime.now(UTC).timestamp()))
    finally:
        await live.close()
    say({"to_tell_of_pools": count}, [f"pools of records whose persons are told now: {count:,}"])


async def _drop(settings: Settings, options: Options, say: Say) -> None:
    from services.rebuild.cleanup import drop_old, seconds_young
    from services.retry import wait

    if (seconds := await seconds_young(settings.store_url)) > 0:
        typer.echo(f"waiting {seconds:.0f} s: the API goes over just now", err=True)
        await wait(seconds, options.stop)
    numbers = await drop_old(settings.store_url)
    say({"dropped": numbers}, [f"removed: edition {number}" for number in numbers] or ["there is no old edition"])
