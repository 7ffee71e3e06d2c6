"""What is said of a bus or store that is away: when it goes and why, where the reason changes, when it is back."""

from __future__ import annotations

from functools import partial

import structlog
from structlog.testing import capture_logs

from bus.contract import BusDown
from links.reasons import Reason
from services import outages
from services.outages import Outage


def test_an_outage_is_told_once_with_its_reason_and_once_when_it_is_over() -> None:
    with capture_logs() as lines:
        log = structlog.get_logger()
        outage = Outage(partial(log.warning, "gone"), partial(log.info, "back"))
        for attempt in range(1, 500):
            outage.met(BusDown("nothing listens", code=Reason.REFUSED), attempt)
        outage.met(BusDown("the host is not known"), 500)
        outage.over()
        outage.over()
    logged = [(line["event"], line.get("code"), line.get("why"), line.get("attempt")) for line in lines]
    assert logged == [
        ("gone", "refused", "nothing listens", 1),
        ("gone", "BusDown", "the host is not known", 500),
        ("back", None, None, None),
    ]


def test_one_that_lasts_is_told_again_now_and_then() -> None:
    with capture_logs() as lines:
        log = structlog.get_logger()
        outage = Outage(partial(log.warning, "gone"), partial(log.info, "back"))
        outage.met(BusDown("away"), 1)
        outage._logged -= outages.AGAIN_SECONDS
        outage.met(BusDown("away"), 2)
        outage.met(BusDown("away"), 3)
    assert [line["attempt"] for line in lines] == [1, 2]
