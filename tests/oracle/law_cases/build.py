"""What the histories are built of: admissions, departures, filings, decisions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from oracle.histories import PORTS, World
from oracle.reading import Event

NOON = 12


def at(day: str, hour: int = NOON, minute: int = 0, port: str = "JFK") -> datetime:
    """An instant by the clock of a port."""
    result = date.fromisoformat(day)
    zone = ZoneInfo(PORTS[port])
    return datetime(result.year, result.month, result.day, hour, minute, tzinfo=zone).astimezone(UTC)


def came(
    w: World, cls: str | None, until: str | None, day: str = "2026-01-12", port: str = "JFK", **more: object
) -> None:
    """Admitted at noon."""
    last = date.fromisoformat(until) if until and until != "D/S" else until
    inspection = str(more.get("inspection", "admitted"))
    numbered = bool(more.get("numbered", True))
    w.arrive(
        date.fromisoformat(day), cls, last, port=port, at=at(day, port=port), inspection=inspection, numbered=numbered
    )


def left(w: World, when: datetime, port: str = "JFK", evidence: str = "inspected") -> None:
    """Left at that instant."""
    event = w.depart(when.date(), evidence, port=port, whole_day=False)
    event["occurred_at"]["at"] = when.isoformat().replace("+00:00", "Z")
    w.reseal(event)


def left_on(w: World, day: str, port: str = "JFK", evidence: str = "inspected") -> None:
    """Left on that day; nobody says when."""
    w.depart(date.fromisoformat(day), evidence, port=port, whole_day=True)


def d(text: str) -> date:
    """That day."""
    return date.fromisoformat(text)


def files(
    w: World, day: str, asks: str = "extend", cls: str | None = None, receipt: str = "IOE0000000001", **more: str
) -> None:
    """An application is received."""
    form = more.get("form", "I-539")
    w.step(receipt, "filed", d(day), asks=asks, requested_class=cls, system=more.get("system", "CLAIMS3"), form=form)


def decides(
    w: World,
    day: str,
    action: str,
    asks: str = "extend",
    cls: str | None = None,
    until: str | None = None,
    valid: str | None = None,
    receipt: str = "IOE0000000001",
    **more: str,
) -> None:
    """An application is decided."""
    w.step(
        receipt,
        action,
        d(day),
        asks=asks,
        granted_class=cls,
        granted_until=until,
        valid_from=valid,
        system=more.get("system", "CLAIMS3"),
        form=more.get("form", "I-539"),
    )


def program(w: World, cls: str, end: str, day: str = "2023-01-05") -> None:
    """A program in SEVIS, and its end."""
    w.sevis("program", "sevis_active", d(day), cls, "created", d(end))


def mended(w: World, until: str, cls: str | None, day: str) -> None:
    """The inspecting agency mends its own record."""
    event = w.correct(d(day), d("2026-12-01"), cls)
    event["granted_until"] = until
    w.reseal(event)


def again(w: World, event: Event, number: int = 2, **changes: object) -> None:
    """A later revision of an event."""
    event = {**event, "revision": {"number": number, "digest": ""}, **changes}
    w.events.append(event)
    w.reseal(event)


def notified(w: World, day: str) -> None:
    """A parolee is told in writing that parole is over: 8 CFR 212.5(e)(2)(i)."""
    w.fact("parole_ended", d(day))


def paroled(w: World, cls: str, until: str | None, day: str = "2026-01-12", port: str = "JFK") -> None:
    """Paroled at noon."""
    came(w, cls, until, day, port, inspection="paroled")


def protected(w: World, state: str, until: str) -> None:
    """A visitor whose date is over, with papers of temporary protected status."""
    w.citizenship = state
    came(w, "B2", "2024-07-09", "2024-01-10")
    w.fact("tps", d("2024-06-03"), until=d(until))


ZONES = {
    "ANC": "America/Anchorage",
    "ADK": "America/Adak",
    "SJU": "America/Puerto_Rico",
    "SPN": "Pacific/Saipan",
    "PPG": "Pacific/Pago_Pago",
    "ORD": "America/Chicago",
    "PHX": "America/Phoenix",
}
"""Ports beside those of the random histories."""


def clock(day: str, at: str, port: str) -> datetime:
    """An instant by the clock of one of the further ports."""
    return datetime.combine(d(day), time.fromisoformat(at), ZoneInfo(ZONES[port])).astimezone(UTC)


def adjusting(w: World, day: str, action: str = "filed") -> None:
    """A step of an application for permanent residence."""
    w.step("IOE0000000009", action, d(day), asks="adjust", form="I-485", system="ELIS")
