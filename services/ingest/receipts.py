"""A receipt per batch, for the owner of the system: read, published, refused and why, and what the source claimed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from services.dead_letters import SpoolDown, encodable
from services.dead_letters.spool import sync_directory, write
from services.ingest.tally import Tally

_LONGEST_NAME = 150


def receipt(tally: Tally) -> dict[str, Any]:
    """The receipt of a batch that is done."""
    origin = tally.origin
    return {
        "system": origin.system,
        "feed": origin.feed,
        "batch": origin.batch,
        "mapping_version": origin.mapping_version,
        **tally.part.as_json(),
        "reasons": dict(tally.reasons.most_common(100)),
        "refused": tally.refused,
        "lost_values": tally.lost,
        "notes": tally.notes,
        "coverage": tally.coverage,
        "coverage_withheld": tally.withheld,
        "at": datetime.now(UTC).isoformat(),
    }


def path_of(directory: Path, system: str, feed: str, batch: str) -> Path:
    """Where the receipt of a batch is kept. A batch's name comes from outside: it must not lead elsewhere."""
    name = quote(encodable(batch), safe=" ()+,=@")
    if len(name) > _LONGEST_NAME or name.startswith("."):
        from schemas.ids import digest

        name = f"{name[:_LONGEST_NAME].lstrip('.')}-{digest(batch.encode('utf-8', 'backslashreplace'))}"
    return directory / quote(system, safe="") / quote(feed, safe="") / f"{name}.json"


def keep(directory: Path, tallies: Sequence[Tally]) -> None:
    """Write receipts, one line each; a batch that is read again gets a new one. Raises SpoolDown."""
    try:
        folders = set()
        for tally in tallies:
            path = path_of(directory, tally.origin.system, tally.origin.feed, tally.origin.batch)
            if path.parent not in folders:
                path.parent.mkdir(parents=True, exist_ok=True)
                folders.add(path.parent)
            write(path, orjson.dumps(_plain(receipt(tally)), default=str, option=orjson.OPT_NON_STR_KEYS) + b"\n")
        for folder in folders:
            sync_directory(folder)
    except OSError as error:
        raise SpoolDown(error.strerror or "cannot write") from error


def _plain(value: Any) -> Any:
    """Fit for JSON: fields of notes may hold bytes, and texts broken surrogates."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {encodable(str(key)): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
