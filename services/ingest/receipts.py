"""The receipt of a batch that was read, and the end of those that are older than the settings keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from bus.contract import Bus, Message
from schemas.topics import RECEIPTS
from services.ingest.tally import Tally
from services.keyring import Keyring
from services.receipts import message_of, without_numbers, without_persons
from services.unreadable import UNREADABLE, pass_over


def receipt(tally: Tally, ring: Keyring) -> Message:
    """Return the receipt of a batch that is done. It names records by keyed digests alone."""
    origin = tally.origin

    def hidden(each: dict[str, Any]) -> dict[str, Any]:
        return each | {"place": without_numbers(each["place"], ring)}

    body: dict[str, Any] = {
        "system": origin.system,
        "feed": origin.feed,
        "batch": origin.batch,
        "mapping_version": origin.mapping_version,
        **tally.part.as_json(),
        "reasons": dict(tally.reasons.most_common(100)),
        "refused": [hidden({"place": each["place"], "reason": each["shape"]}) for each in tally.refused],
        "lost_values": [hidden(each) for each in tally.lost_values],
        "notes": [hidden(each) | {"fields": without_persons(each["fields"], ring)} for each in tally.notes],
        "coverage": tally.coverage,
        "coverage_withheld": tally.withheld,
        "at": datetime.now(UTC).isoformat(),
        "used_again": tally.used_again,
        "decided": tally.decided,
    }
    return message_of(body, tally.keys, tally.mark, ring)


async def expired(bus: Bus, days: int, now: datetime) -> list[Message]:
    """Return the messages that end the receipts older than that many days. Raises BusDown."""
    oldest = (now - timedelta(days=days)).isoformat()
    ends: dict[bytes, bool] = {}
    async for delivery in bus.read(RECEIPTS):
        if delivery.key is None:
            continue
        try:
            ends[delivery.key] = delivery.value is not None and orjson.loads(delivery.value)["at"] < oldest
        except UNREADABLE as error:
            pass_over(delivery, error)
    return [Message(RECEIPTS, key, None) for key, old in ends.items() if old]
