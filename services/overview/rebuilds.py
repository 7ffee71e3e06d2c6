"""A rebuild that is under way, by what its process keeps beside the edition that it builds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from schemas.operations import RebuildState, RebuildStatus
from services.domain.facts import MICRO
from services.store.editions import PROGRESS, Edition, State

SILENT = timedelta(seconds=30)
"""A rebuild whose process said nothing for so long is taken for killed."""
STILL = timedelta(minutes=10)
"""One that came no further for so long is stuck."""


def rebuild_of(editions: Iterable[Edition], now: datetime) -> RebuildStatus | None:
    """Return how the edition fares that is being built; None where none is."""
    edition = next((each for each in editions if each.state is State.BUILDING), None)
    if edition is None:
        return None
    noted = edition.noted or {}
    begun = _moment(edition.begun or 0)
    compared = bool(noted.keys() - {PROGRESS})
    if (said := noted.get(PROGRESS)) is None:  # killed before its first word, or by an earlier version
        return RebuildStatus(edition=edition.number, state=RebuildState.LOST, begun_at=begun, compared=compared)
    heard, moved = _moment(said["at"]), _moment(said["moved"])
    done, total, rate = said["done"], said["total"], said["rate"]
    failed, waits = said["failed"], said["waits"]
    if failed is not None:
        state = RebuildState.FAILED
    elif said["ended"] is not None:
        state = RebuildState.BUILT
    elif now - heard > SILENT:
        state = RebuildState.LOST
    elif now - moved > STILL:
        state = RebuildState.STUCK
    else:
        state = RebuildState.RUNNING
    left = (total - done) / rate if state is RebuildState.RUNNING and total is not None and rate else None
    return RebuildStatus(
        edition=edition.number,
        state=state,
        begun_at=begun,
        heard_at=heard,
        moved_at=moved,
        process=said["process"],
        stage=said["stage"],
        done=done,
        total=total,
        rate=rate if state is RebuildState.RUNNING else None,
        seconds_left=None if left is None else max(0, round(left)),
        why=failed or waits,
        compared=compared,
    )


def _moment(micro: int) -> datetime:
    return datetime.fromtimestamp(micro / MICRO, UTC)
