"""`visabus metrics`: the whole flow for Prometheus, whichever processes run."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.context import need, settings_of, start_logs
from services.cli.status import observer

if TYPE_CHECKING:
    from schemas.operations import Overview
    from services.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(metrics)


def metrics(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Where to listen; by default as the settings say.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where to listen.")] = 9600,
    seconds: Annotated[float, typer.Option(min=0.1, max=3_600, help="How often bus and store are read.")] = 10.0,
) -> None:
    """Serve metrics of the flow as a whole: feeds, correlators, lag, the view, coverage, dead letters.

    It is apart from the processes that it tells of, so that it can tell that one is gone. Runs until SIGTERM or SIGINT.
    The processes serve what they count themselves, on the ports of the settings (`metrics.*`).

        visabus metrics --port 9600
        curl http://127.0.0.1:9600/metrics
    """
    settings = settings_of(context)
    need(settings.bus_url, "bus", "ingest")
    start_logs(settings)
    asyncio.run(_run(settings, host or settings.metrics.host, port, seconds))


async def _run(settings: Settings, host: str, port: int, seconds: float) -> None:
    import structlog

    from bus.contract import BusDown, UnknownTopic
    from services.cli.signals import stop_on_signals
    from services.metrics import exported
    from services.metrics.flow import FlowCollector
    from services.outages import Outage
    from services.retry import wait
    from services.stopping import Stopped, cut_off
    from services.store.contract import StoreDown

    log = structlog.get_logger("metrics")
    stop = stop_on_signals(settings.deadlines.stop)
    last: Overview | None = None
    outage = Outage(partial(log.warning, "the flow cannot be read"), partial(log.info, "the flow is read again"))
    with exported(host, port, FlowCollector(lambda: last)) as bound:
        log.info("listening", url=f"http://{host}:{bound}/metrics")
        while not stop.is_set():
            try:
                async with cut_off(stop), observer(settings) as observing:
                    while True:
                        last = await observing.observe(datetime.now(UTC))
                        outage.over()
                        await asyncio.sleep(seconds)
            except (BusDown, StoreDown, UnknownTopic) as error:  # topics that are being made anew
                outage.met(error, 1)
                last = None
                await wait(min(seconds, 5.0), stop)
            except Stopped:
                return
