"""Random histories of one person at boundary instants, as canonical JSON. Written apart from the simulator."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from oracle import law
from oracle.days import DAY, closed, start_of
from oracle.reading import Event
from schemas.events import Event as CanonicalEvent

PORTS = {
    "JFK": "America/New_York",
    "LAX": "America/Los_Angeles",
    "HNL": "Pacific/Honolulu",
    "GUM": "Pacific/Guam",
    "ANC": "America/Anchorage",
    "SJU": "America/Puerto_Rico",
    "SPN": "Pacific/Saipan",
}
LAND = {"CHM": "America/New_York", "SYS": "America/Los_Angeles"}
AGENCY = "America/New_York"
KNOWN = datetime(2026, 11, 29, 12, tzinfo=UTC)
CLOCKS_CHANGE = (date(2025, 3, 9), date(2025, 11, 2), date(2026, 3, 8), date(2026, 11, 1))
SPACE = UUID("5b9d3a0e-7a5f-4a5b-9d54-0d1c6f8a7b11")
_ADAPTER: TypeAdapter[Any] = TypeAdapter(CanonicalEvent)


@dataclass
class History:
    """One person's events and what is asked."""

    seed: str
    kind: str
    events: list[Event]
    as_of: datetime
    known_at: datetime | None = None


@dataclass
class World:
    """A history under way."""

    rng: Random
    citizenship: str = "GBR"
    events: list[Event] = field(default_factory=list)
    marks: list[tuple[date, str]] = field(default_factory=list)  # days near which it is worth asking
    i94: str = ""
    number: int = 0
    receipts: int = 0
    zone: str = AGENCY

    # -- times

    def edge(self, day: date, zone: str) -> datetime:
        """An instant of that local day, mostly at one of its ends."""
        at = self.rng.choice((time(0), time(0, 0, 1), time(12), time(22, 30), time(23, 59, 59)))
        return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)

    def near(self, day: date, *, most: int = 1) -> date:
        """That day or one next to it."""
        return day + timedelta(days=self.rng.randint(-most, most))

    def mark(self, day: date, zone: str | None = None) -> date:
        """Remember a day as one near which it is worth asking."""
        self.marks.append((day, zone or self.zone))
        return day

    # -- events

    def reseal(self, event: Event) -> None:
        """Mend digest and id of an event that was changed."""
        sealed(event)

    def _event(
        self, kind: str, system: str, moment: dict[str, Any], numbers: list[dict[str, str]], **body: Any
    ) -> Event:
        self.number += 1
        record = body.pop("record", f"R{self.number:05d}")
        event: Event = {
            "kind": kind,
            "schema_version": 2,
            "operation": "assert",
            "system": system,
            "record": record,
            "place": f"row {self.number}",
            "part": body.pop("part", ""),
            "revision": {"number": 1, "digest": ""},
            "mapping_version": 1,
            "batch": "b1",
            "published_at": KNOWN.isoformat().replace("+00:00", "Z"),
            "occurred_at": moment,
            "subject": {
                "names": [{"family": "OKONKWO", "given": "ADAEZE"}],
                "birth": "1990-05-17",
                "sex": "F",
                "citizenship": [self.citizenship],
                "identifiers": [{"scheme": "passport", "issuer": self.citizenship, "value": "P1234567"}, *numbers],
            },
            "handling": [],
            **{key: value for key, value in body.items() if value is not None},
        }
        self.events.append(sealed(event))
        return self.events[-1]

    @staticmethod
    def at(instant: datetime, zone: str) -> dict[str, Any]:
        """A moment known to the second."""
        return {"precision": "instant", "zone": zone, "at": _text(instant)}

    @staticmethod
    def on(day: date, zone: str = AGENCY) -> dict[str, Any]:
        """A moment known to the day."""
        return {"precision": "day", "zone": zone, "day": day.isoformat()}

    def arrive(
        self,
        day: date,
        cls: str | None,
        until: date | str | None,
        *,
        port: str | None = None,
        inspection: str = "admitted",
        mode: str = "air",
        same_i94: bool = False,
        numbered: bool = True,
        at: datetime | None = None,
    ) -> Event:
        """An application for admission."""
        ports = LAND if mode == "land" else PORTS
        port = port or self.rng.choice(list(ports))
        zone = ports[port]
        if not same_i94:
            self.zone = zone
            self.i94 = f"{self.rng.randrange(10**10, 10**11)}"
        numbers = [{"scheme": "i94", "issuer": "CBP", "value": self.i94}] if numbered else []
        return self._event(
            "arrival",
            "I94",
            self.at(at or self.edge(day, zone), zone),
            numbers,
            port=port,
            mode=mode,
            inspection=inspection,
            class_of_admission=cls,
            admitted_until=until.isoformat() if isinstance(until, date) else until,
        )

    def depart(
        self,
        day: date,
        evidence: str = "inspected",
        *,
        port: str | None = None,
        mode: str = "air",
        whole_day: bool | None = None,
    ) -> Event:
        """A departure on that local day of the port, of days that are known."""
        day = min(day, KNOWN.date() - 2 * DAY)
        ports = LAND if mode == "land" else PORTS
        port = port or self.rng.choice(list(ports))
        zone = ports[port]
        system = {"biometric": "IDENT", "manifest": "APIS", "manifest_closed": "APIS", "booking": "APIS"}.get(
            evidence, "I94"
        )
        if whole_day is None:
            whole_day = self.rng.random() < 0.15
        moment = self.on(day, zone) if whole_day else self.at(self.edge(day, zone), zone)
        self.mark(day, zone)
        return self._event("departure", system, moment, [], port=port, mode=mode, evidence=evidence)

    def step(
        self, receipt: str, action: str, day: date, *, system: str = "CLAIMS3", form: str = "I-539", **body: Any
    ) -> Event:
        """A step of an application."""
        numbers = [
            {"scheme": "receipt", "issuer": "USCIS", "value": receipt},
            {"scheme": "i94", "issuer": "CBP", "value": self.i94},
        ]
        while action == "filed" and system == "CLAIMS3" and closed(day):
            day += DAY  # nothing is received on paper on a closed day
        self.mark(day)
        for key in ("granted_until", "valid_from", "requested_until"):
            if isinstance(body.get(key), date):
                body[key] = body[key].isoformat()
        return self._event(
            "extension", system, self.on(day), numbers, receipt=receipt, form=form, action=action, **body
        )

    def receipt(self) -> str:
        """A new receipt."""
        self.receipts += 1
        return f"IOE{self.receipts:010d}"

    def correct(self, day: date, until: date, cls: str | None = None, valid_from: date | None = None) -> Event:
        """The inspecting agency's own correction (I-94, type X)."""
        self.mark(until)
        self.mark(day)
        return self._event(
            "extension",
            "I94",
            self.on(day),
            [{"scheme": "i94", "issuer": "CBP", "value": self.i94}],
            receipt=f"{self.number + 1000:011d}",
            form="I-94",
            asks="change_class" if cls else "extend",
            action="approved",
            granted_class=cls,
            granted_until=until.isoformat(),
            valid_from=valid_from.isoformat() if valid_from else None,
        )

    def fact(
        self, fact: str, day: date, *, until: date | None = None, receipt: str | None = None, **body: Any
    ) -> Event:
        """A fact about the person's status."""
        numbers = [{"scheme": "receipt", "issuer": "USCIS", "value": receipt}] if receipt else []
        self.mark(day)
        if until:
            self.mark(until)
        handling = {"asylum": ["asylum"], "tps": ["tps"]}.get(fact.split("_")[0])
        event = self._event(
            "status", "CIS", self.on(day), numbers, fact=fact, until=until.isoformat() if until else None, **body
        )
        if handling:
            event["handling"] = handling
            self.events[-1] = sealed(event)
        return self.events[-1]

    def sevis(self, part: str, fact: str, day: date, cls: str, reason: str, until: date | None = None) -> Event:
        """What SEVIS says."""
        self.mark(day)
        if until:
            self.mark(until)
        return self._event(
            "status",
            "SEVIS",
            self.on(day),
            [{"scheme": "sevis", "issuer": "ICE", "value": "N0012345678"}],
            record=f"N0012345678/A{self.number}",
            part=part,
            recorded_at=_text(datetime.combine(day, time(17), ZoneInfo(AGENCY)).astimezone(UTC)),
            fact=fact,
            class_of_admission=cls,
            until=until.isoformat() if until else None,
            reason=reason,
        )

    def cover(self, since: datetime, through: datetime, modes: tuple[str, ...] = ("air", "sea", "land")) -> None:
        """Departures told whole from `since` through `through`."""
        for mode in modes:
            self.number += 1
            self.events.append(
                sealed(
                    {
                        "kind": "coverage",
                        "schema_version": 2,
                        "operation": "assert",
                        "system": "I94",
                        "record": f"C{self.number:05d} departure:{mode}",
                        "place": "header",
                        "part": "",
                        "revision": {"number": 1, "digest": ""},
                        "mapping_version": 1,
                        "batch": "b1",
                        "published_at": _text(KNOWN),
                        "scope": f"departure:{mode}",
                        "since": _text(since),
                        "through": _text(through),
                    }
                )
            )


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def sealed(event: Event) -> Event:
    """The event with the digest and the id that its content gives."""
    body = {k: v for k, v in event.items() if k not in ("id", "revision", "published_at", "place", "batch")}
    content = json.dumps(body, sort_keys=True)
    event["revision"] = {**event["revision"], "digest": hashlib.sha256(content.encode()).hexdigest()[:16]}
    event["id"] = str(uuid5(SPACE, f"{event['revision']['number']} {content}"))
    return event


def history(seed: str) -> History:
    """The random history of that seed."""
    rng = Random(seed)
    kinds = list(KINDS)
    kind = rng.choice(kinds)
    world = World(rng)
    KINDS[kind](world)
    if rng.random() < 0.15 and kind in ("dated", "worker", "student", "applications", "waiver", "cap_gap"):
        _protect(world)
    _cover(world)
    if rng.random() < 0.3:
        _noise(world)
    if rng.random() < 0.3:
        _change_a_record(world)
    known_at = _spread_knowledge(world) if rng.random() < 0.2 else None
    rng.shuffle(world.events)
    for event in world.events:
        _ADAPTER.validate_python(event)
    return History(seed, kind, world.events, _asked(world), known_at)


def _asked(world: World) -> datetime:
    """An instant near one of the marks, behind the first arrival and before now."""
    arrivals = [start_of(e["occurred_at"]) for e in world.events if e["kind"] == "arrival"]
    wholes = {
        (e["occurred_at"]["day"], e["occurred_at"]["zone"])
        for e in world.events
        if e["kind"] in ("departure", "arrival") and e["occurred_at"]["precision"] == "day"
    }
    marks = sorted(world.marks)
    for _ in range(200):
        day, zone = world.rng.choice(marks if world.rng.random() < 0.4 else marks[len(marks) // 2 :])
        day += timedelta(days=world.rng.choice((-1, 0, 0, 1, 1, 1, 2, 15, 40, 100)))
        if world.rng.random() < 0.5:
            zone = world.zone
        at = world.edge(day, zone)
        if world.rng.random() < 0.3:
            at += timedelta(seconds=world.rng.choice((-1, 1)))
        # in the middle of a day on which somebody left, known to the day only, nobody can say whether he has left
        unsure = any(at.astimezone(ZoneInfo(z)).date().isoformat() == d for d, z in wholes)
        if min(arrivals) <= at <= KNOWN and not unsure:
            return at
    return min(KNOWN, max(arrivals) + timedelta(days=3))


# --- the kinds -------------------------------------------------------------------------------------------------------


def _first_day(world: World) -> date:
    return date(2025, 1, 20) + timedelta(days=world.rng.randint(0, 430))


def _last_day(world: World, first: date, least: int = 20, most: int = 200) -> date:
    """A last day: any, a closed one, or one on which clocks change."""
    last = first + timedelta(days=world.rng.randint(least, most))
    roll = world.rng.random()
    if roll < 0.3:
        while not closed(last):
            last += DAY
    elif roll < 0.4:
        change = [d for d in CLOCKS_CHANGE if first + timedelta(days=least) < d]
        last = world.rng.choice(change) if change else last
    return world.mark(last)


def _maybe_leave(world: World, last: date, chance: float = 0.5) -> None:
    if world.rng.random() < chance:
        evidence = world.rng.choice(
            ("inspected", "biometric", "foreign_entry", "removal", "manifest_closed", "manifest")
        )
        world.depart(max(world.near(last), last - timedelta(days=1)), evidence)


def dated(world: World) -> None:
    """A class admitted to a date."""
    first = _first_day(world)
    last = _last_day(world, first)
    same = {code for code, same in law.SAME_CLASS.items() if same in law.DATED}
    cls = world.rng.choice(sorted(law.DATED | same | {"A1", "I", "G4", "N1"}))
    if cls == "K2":
        last = min(last, first + timedelta(days=85))  # admitted with K-1, for ninety days at most
    inspection = "paroled" if cls == "DT" else "admitted"
    world.citizenship = world.rng.choice(("GBR", "CHN", "IND", "MEX"))
    world.arrive(first, cls, last, inspection=inspection)
    _maybe_leave(world, last)


def undated(world: World) -> None:
    """A class whose period the law itself gives, or none."""
    first = _first_day(world)
    cls = world.rng.choice(("WB", "WT", "GMT", "GMB", "K1", "C1", "D1", "D2", "B1", "B2", "H1B", "TN"))
    world.citizenship = world.rng.choice(("CAN", "GBR", "JPN"))
    numbered = cls not in ("B1", "B2") or world.rng.random() < 0.3
    world.arrive(first, cls, None, port="GUM" if cls.startswith("GM") else None, numbered=numbered)
    length = law.WITHOUT_DATE.get(cls, 181)
    last = world.mark(first + timedelta(days=length - 1))
    _maybe_leave(world, last + timedelta(days=world.rng.choice((-3, 3))))


def unlimited(world: World) -> None:
    """D/S, where the class has it and where it has not."""
    first = _first_day(world)
    cls = world.rng.choice((*sorted(law.UNLIMITED), "A3", "B2", "H1B"))
    world.citizenship = world.rng.choice(("GBR", "CHN", "FSM"))
    world.arrive(first, cls, "D/S")
    world.mark(first + timedelta(days=world.rng.randint(10, 400)))
    _maybe_leave(world, first + timedelta(days=100), 0.3)


def waiver(world: World) -> None:
    """A visa waiver: satisfactory departure, an extension that gives nothing, adjustment."""
    first = _first_day(world)
    code = world.rng.choice(("WT", "WB", "GMT", "GMB", "GB", "GT"))
    cls = law.SAME_CLASS.get(code, code)
    last = world.mark(first + timedelta(days=law.WITHOUT_DATE[cls] - 1))
    world.arrive(first, code, last, port="GUM" if code.startswith("G") else None)
    roll = world.rng.random()
    if roll < 0.6:
        limit = law.SATISFACTORY_DEPARTURE[cls]
        given = world.mark(last + timedelta(days=world.rng.choice((limit, limit // 2, limit + 5))))
        world.fact("satisfactory_departure", last - timedelta(days=world.rng.randint(1, 9)), until=given)
        _maybe_leave(world, min(given, last + timedelta(days=limit)), 0.6)
    elif roll < 0.8:
        receipt = world.receipt()
        world.step(receipt, "filed", last - timedelta(days=world.rng.randint(1, 20)), asks="extend")
        _maybe_leave(world, last + timedelta(days=10), 0.3)
    else:
        receipt = world.receipt()
        filed = world.near(last, most=10)
        world.step(receipt, "filed", filed, asks="adjust", form="I-485")
        if world.rng.random() < 0.5:
            world.step(
                receipt,
                world.rng.choice(("approved", "denied", "withdrawn")),
                filed + timedelta(days=80),
                asks="adjust",
                form="I-485",
            )
        _maybe_leave(world, last + timedelta(days=30), 0.2)


def applications(world: World) -> None:
    """Extensions and changes of status filed about the last day, one or two, decided or not."""
    rng = world.rng
    first = _first_day(world)
    last = _last_day(world, first, 60, 150)
    cls = rng.choice(("B2", "B1", "H1B", "L1", "TN", "O1", "H4", "C1", "K1", "P1"))
    if cls in law.WITHOUT_DATE:
        first = last - timedelta(days=law.WITHOUT_DATE[cls] - 1)
    world.arrive(first, cls, last)
    system = rng.choice(("CLAIMS3", "CLAIMS3", "ELIS"))
    filed = last + timedelta(days=rng.choice((-30, -2, -1, 0, 0, 1, 1, 2, 3, 20)))
    granted_until = last + timedelta(days=rng.choice((40, 60, 180)))
    for number in range(rng.choice((1, 1, 2))):
        receipt = world.receipt()
        asks = rng.choice(("extend", "extend", "change_class"))
        asked = rng.choice(("H4", "B2", "H1B")) if asks == "change_class" else None
        form = "I-129" if asked == "H1B" else "I-539"
        body: dict[str, Any] = {"asks": asks, "requested_class": asked, "system": system, "form": form}
        world.step(receipt, "filed", filed, **body)
        decided = max(filed, last) + timedelta(days=rng.choice((1, 10, 60, 90)))
        roll = rng.random()
        if roll < 0.3 and cls not in law.NO_EXTENSION_NO_CHANGE:
            world.step(
                receipt,
                "approved",
                decided,
                **body,
                granted_class=asked if asks == "change_class" else None,
                granted_until=world.mark(granted_until),
                valid_from=rng.choice((None, last + DAY)),
            )
        elif roll < 0.55:
            world.step(receipt, "denied", decided, **body)
            if rng.random() < 0.2:
                world.step(receipt, "appealed", decided + timedelta(days=5), **body)
        elif roll < 0.7:
            world.step(receipt, "withdrawn", decided, **body)
        if rng.random() < 0.12:
            world.fact("frivolous_filing", decided, receipt=receipt)
        filed = filed + timedelta(days=rng.choice((5, 30)))
        granted_until += timedelta(days=100 * (number + 1))
    if rng.random() < 0.1:
        world.fact("unauthorised_work", world.near(last, most=20))
    if rng.random() < 0.4:
        day, _ = rng.choice(world.marks)
        world.depart(max(world.near(day), first + DAY))


def worker(world: World) -> None:
    """Employment that ended, its sixty days, another employer's petition, endorsed days."""
    rng = world.rng
    first = _first_day(world)
    last = _last_day(world, first, 90, 400)
    cls = rng.choice(
        ("H1B", "H1B", "L1", "E3", "O1", "TN", "H2A", "H2B", "P1", "R1", "H1B1", "B2", "P3S", "E3R", "L1A", "E2S")
    )
    world.arrive(first, cls, last)
    ended = first + timedelta(days=rng.randint(30, 90))
    if rng.random() < 0.75:
        world.fact("employment_ended", ended)
        world.mark(min(ended + timedelta(days=60), last))
        if rng.random() < 0.2:
            world.fact("employment_ended", ended + timedelta(days=rng.choice((20, 70))))
        if rng.random() < 0.5:
            receipt = world.receipt()
            filed = ended + timedelta(days=rng.choice((-10, 0, 1, 30, 59, 60, 61, 62)))
            decided = filed + timedelta(days=rng.choice((20, 70, 150)))
            body = {"asks": "extend", "form": "I-129", "system": rng.choice(("CLAIMS3", "ELIS"))}
            world.step(receipt, "filed", filed, **body)
            roll = rng.random()
            if roll < 0.35:
                valid = max(decided, ended + DAY)
                world.step(
                    receipt,
                    "approved",
                    decided,
                    **body,
                    granted_class=cls,
                    granted_until=valid + timedelta(days=300),
                    valid_from=valid,
                )
            elif roll < 0.7:
                world.step(receipt, rng.choice(("denied", "withdrawn")), decided, **body)
    elif rng.random() < 0.7:
        world.fact("days_endorsed", first, until=last + timedelta(days=rng.choice((5, 10, 10, 12))))
        world.mark(last + timedelta(days=10))
    if rng.random() < 0.5:
        day, _ = rng.choice(world.marks)
        world.depart(max(world.near(day), first + DAY))


def ported(world: World) -> None:
    """A petition granted, then withdrawn or revoked; another employer's; ends of employments that are named."""
    rng = world.rng
    first = _first_day(world)
    last = _last_day(world, first, 120, 300)
    cls = rng.choice(("H1B", "L1", "O1", "TN", "E3", "P1", "R1"))
    world.arrive(first, cls, last)
    body: dict[str, Any] = {"asks": "extend", "form": "I-129", "system": "ELIS"}
    receipts: dict[str, date] = {}
    day = first + timedelta(days=rng.randint(20, 100))
    for _ in range(rng.choice((1, 1, 2))):
        receipt = world.receipt()
        world.step(receipt, "filed", day, **body)
        decided = day + timedelta(days=rng.choice((10, 40)))
        until = world.mark(max(decided, last) + timedelta(days=rng.choice((100, 300))))
        valid = rng.choice((None, max(decided, last + DAY)))
        world.step(receipt, "approved", decided, **body, granted_class=cls, granted_until=until, valid_from=valid)
        receipts[receipt] = valid or decided
        day = decided + timedelta(days=rng.choice((5, 30)))
    ended = day + timedelta(days=rng.randint(0, 120))
    if rng.random() < 0.7:
        world.step(rng.choice(list(receipts)), rng.choice(("withdrawn", "denied")), ended, **body)
        world.mark(ended + timedelta(days=60))
    if rng.random() < 0.5:
        ended = world.near(ended, most=20)
        begun = [receipt for receipt, begins in receipts.items() if begins <= ended]
        world.fact("employment_ended", ended, receipt=rng.choice((*begun, "EAC0000000077")))
        world.mark(ended + timedelta(days=60))
    if rng.random() < 0.5:
        marked, _ = rng.choice(world.marks)
        world.depart(max(world.near(marked), first + DAY))


def designated(world: World) -> None:
    """Admitted in temporary protected status, which ends by its day, by notice or by withdrawal."""
    rng = world.rng
    first = _first_day(world)
    world.citizenship = rng.choice((*sorted(law.TPS_ENDED.keys() - {"BUR"}), "UKR", "LBN", "SLV"))
    last = world.mark(first + timedelta(days=rng.choice((100, 300, 540))))
    world.arrive(first, "TPS", last)
    for edge in law.TPS_ENDED.get(world.citizenship, ()):
        if edge < date(2027, 1, 1):
            world.mark(edge)
    if rng.random() < 0.3:
        world.fact("tps_withdrawn", first + timedelta(days=rng.randint(1, 200)))
    if rng.random() < 0.3:
        receipt = world.receipt()
        filed = world.near(last, most=3)
        world.step(receipt, "filed", filed, asks="change_class", requested_class="F1", system="ELIS")
    if rng.random() < 0.4:
        marked, _ = rng.choice(world.marks)
        world.depart(max(world.near(marked), first + DAY))


def victims(world: World) -> None:
    """T and U, an adjustment asked for about their last day, decided or not."""
    rng = world.rng
    first = _first_day(world)
    last = _last_day(world, first, 60, 200)
    world.arrive(first, rng.choice(("T1", "U1")), last)
    receipt = world.receipt()
    filed = last + timedelta(days=rng.choice((-30, -1, 0, 1, 20)))
    world.step(receipt, "filed", filed, asks="adjust", form="I-485", system="ELIS")
    if rng.random() < 0.6:
        result = rng.choice(("denied", "withdrawn", "approved"))
        decided = filed + timedelta(days=rng.choice((20, 60)))
        world.step(receipt, result, decided, asks="adjust", form="I-485", system="ELIS")
    if rng.random() < 0.4:
        marked, _ = rng.choice(world.marks)
        world.depart(max(world.near(marked), first + DAY))


def beyond(world: World) -> None:
    """A date on the I-94 other than the days that the law counts by itself."""
    rng = world.rng
    first = _first_day(world)
    cls = rng.choice(("WT", "WB", "K1", "K2", "C1", "D1", "D2", "GMT", "GMB"))
    length = law.WITHOUT_DATE.get(cls, 90)
    last = world.mark(first + timedelta(days=length + rng.choice((-10, -2, 0, 1, 90))))
    world.mark(first + timedelta(days=length - 1))
    world.arrive(first, cls, last, port="GUM" if cls.startswith("G") else None)
    if cls in law.SATISFACTORY_DEPARTURE and rng.random() < 0.4:
        world.fact("satisfactory_departure", last - DAY, until=world.mark(last + timedelta(days=rng.choice((10, 40)))))
    _maybe_leave(world, last)


def transferred(world: World) -> None:
    """A student who goes to another school or level, about the end of the first program and its days of grace."""
    rng = world.rng
    cls = rng.choice(("F1", "J1"))
    first = _first_day(world)
    end = _last_day(world, first, 60, 200)
    world.arrive(first, cls, "D/S")
    world.sevis("program", "sevis_active", first - timedelta(days=60), cls, "created", end)
    grace = law.GRACE_OF_PROGRAMS[cls]
    world.mark(end + timedelta(days=grace))
    day = end + timedelta(days=rng.choice((-30, -1, 0, 1, grace - 1, grace, grace + 1)))
    reason = rng.choice(("transferred", "change-of-level", "change-of-program", "shortened", "registered"))
    following = world.mark(day + timedelta(days=-5 if reason == "shortened" else rng.choice((100, 300))))
    world.sevis("program", "sevis_active", day, cls, reason, following)
    world.mark(following + timedelta(days=grace))
    if rng.random() < 0.5:
        marked, _ = rng.choice(world.marks)
        world.depart(max(world.near(marked), first + DAY))


def student(world: World) -> None:
    """F and J: the program, training, completion, termination, withdrawal, reactivation."""
    rng = world.rng
    cls = rng.choice(("F1", "F1", "J1", "F2", "J2"))
    first = _first_day(world)
    end = _last_day(world, first, 60, 200)
    until: date | str = "D/S"
    if rng.random() < 0.12:
        until = world.mark(first + timedelta(days=29))
    world.arrive(first, cls, until)
    if rng.random() < 0.95:
        world.sevis("program", "sevis_active", first - timedelta(days=60), cls, "created", end)
    grace = law.GRACE_OF_PROGRAMS[cls]
    world.mark(end + timedelta(days=grace))
    roll = rng.random()
    if roll < 0.2 and cls in ("F1", "J1"):
        start = end + timedelta(days=rng.choice((1, 2, 20, grace, grace + 1, grace + 2)))
        through = start + timedelta(days=90)
        world.sevis(
            "employment",
            "sevis_active",
            start,
            cls,
            "practical-training" if cls == "F1" else "academic-training",
            through,
        )
        world.mark(through + timedelta(days=grace))
    elif roll < 0.3:
        extended = world.mark(end + timedelta(days=100))
        world.sevis("program", "sevis_active", end + timedelta(days=rng.choice((-5, 10))), cls, "extended", extended)
        world.mark(extended + timedelta(days=grace))
    elif roll < 0.4:
        done = end - timedelta(days=rng.choice((0, 10)))
        world.sevis("program", "sevis_completed", done, cls, "completed", done)
        world.mark(done + timedelta(days=grace))
    elif roll < 0.7:
        day = end - timedelta(days=rng.choice((1, 20)))
        reason = rng.choice(("violation", "violation", "authorized-withdrawal", "administrative"))
        if cls.startswith("J") and reason == "authorized-withdrawal":
            reason = "violation"
        world.sevis("program", "sevis_terminated", day, cls, reason)
        world.mark(day + timedelta(days=15))
        if rng.random() < 0.3:
            world.sevis(
                "program", "sevis_active", day + timedelta(days=30), cls, "reactivated", end + timedelta(days=30)
            )
    elif roll < 0.85 and cls == "F1":
        receipt = world.receipt()
        filed = end + timedelta(days=rng.choice((-10, 1, 30, 59, 60, 61, 62)))
        body = {"asks": "change_class", "requested_class": "B2"}
        world.step(receipt, "filed", filed, **body)
        roll = rng.random()
        decided = filed + timedelta(days=90)
        if roll < 0.3:
            world.step(receipt, rng.choice(("denied", "withdrawn")), decided, **body)
        elif roll < 0.5:
            world.step(
                receipt,
                "approved",
                decided,
                **body,
                granted_class="B2",
                granted_until=world.mark(decided + timedelta(days=60)),
            )
    if rng.random() < 0.5:
        day, _ = rng.choice(world.marks)
        world.depart(max(world.near(day), first + DAY))


def vocational(world: World) -> None:
    """M: the date on the I-94 holds."""
    rng = world.rng
    first = _first_day(world)
    end = _last_day(world, first, 60, 200)
    first = max(first, end - timedelta(days=330))  # one year at most
    last = world.mark(end + timedelta(days=30))
    world.arrive(first, "M1", last)
    world.sevis("program", "sevis_active", first - timedelta(days=60), "M1", "created", end)
    roll = rng.random()
    if roll < 0.5:
        world.sevis("program", "sevis_terminated", end - timedelta(days=rng.randint(1, 30)), "M1", "violation")
    elif roll < 0.6:
        world.sevis("program", "sevis_active", end - timedelta(days=10), "M1", "extended", end + timedelta(days=90))
    if rng.random() < 0.5:
        day, _ = rng.choice(world.marks)
        world.depart(max(world.near(day), first + DAY))


def cap_gap(world: World) -> None:
    """F-1 with a timely petition for a change to H-1B."""
    rng = world.rng
    first = date(2025, 1, 20) + timedelta(days=rng.randint(0, 30))
    end = world.mark(date(2025, rng.choice((3, 4, 5, 6)), rng.randint(1, 28)))
    cls = rng.choice(("F1", "F1", "F1", "F1", "F2"))
    world.arrive(first, cls, "D/S")
    world.sevis("program", "sevis_active", first - timedelta(days=60), cls, "created", end)
    receipt = world.receipt()
    filed = max(date(2025, 4, 1), end + timedelta(days=rng.choice((-20, 10, 59, 60, 61, 62))))
    body = {"asks": "change_class", "requested_class": "H1B", "form": "I-129"}
    world.step(receipt, "filed", filed, **body)
    if rng.random() < 0.4:
        world.sevis("cap-gap", "sevis_active", max(filed, end), cls, "cap-gap", date(2026, 4, 1))
    world.mark(date(2026, 4, 1))
    world.mark(date(2025, 10, 1))
    roll = rng.random()
    decided = filed + timedelta(days=rng.choice((30, 100, 200)))
    if roll < 0.3:
        world.step(receipt, rng.choice(("denied", "withdrawn")), decided, **body)
        world.mark(decided + timedelta(days=60))
    elif roll < 0.6:
        world.step(
            receipt,
            "approved",
            decided,
            **body,
            granted_class="H1B",
            granted_until=date(2028, 9, 30),
            valid_from=max(date(2025, 10, 1), decided),
        )
    if rng.random() < 0.4:
        day, _ = rng.choice(world.marks)
        world.depart(max(world.near(day), first + DAY))


def protected(world: World) -> None:
    """Asylum, TPS, voluntary and deferred departure, parole in place, adjustment."""
    rng = world.rng
    first = _first_day(world)
    last = _last_day(world, first, 60, 150)
    world.citizenship = rng.choice(("UKR", "SLV", "GBR"))
    cls = rng.choice(("B2", "H1B", "WT"))
    if cls == "WT":
        first = last - timedelta(days=89)
    world.arrive(first, cls, last)
    begins = world.near(last, most=10)
    for _ in range(rng.choice((1, 1, 2))):
        kind = rng.choice(("asylum", "tps", "voluntary", "deferred", "parole", "adjust", "resident"))
        if kind == "asylum":
            world.fact("asylum_pending", begins)
            roll = rng.random()
            if roll < 0.4:
                world.fact("asylum_denied", begins + timedelta(days=60))
            elif roll < 0.6:
                world.fact("asylum_granted", begins + timedelta(days=60))
        elif kind == "tps":
            world.fact("tps", begins, until=begins + timedelta(days=120))
            if rng.random() < 0.3:
                world.fact("tps_withdrawn", begins + timedelta(days=60))
        elif kind == "voluntary":
            after = rng.choice((None, "after-proceedings"))
            length = rng.choice((30, 60, 61, 120, 121))
            world.fact("voluntary_departure", begins, until=begins + timedelta(days=length), reason=after)
            world.mark(begins + timedelta(days=60 if after else 120))
        elif kind == "deferred":
            world.fact("deferred_departure", begins, until=begins + timedelta(days=100))
        elif kind == "parole":
            world.fact("parole", begins, until=begins + timedelta(days=100), reason=rng.choice((None, None, "CHNV")))
        elif kind == "adjust":
            receipt = world.receipt()
            world.step(receipt, "filed", begins, asks="adjust", form="I-485")
            if rng.random() < 0.6:
                result = rng.choice(("denied", "withdrawn", "approved"))
                world.step(receipt, result, begins + timedelta(days=90), asks="adjust", form="I-485")
        else:
            world.fact(rng.choice(("permanent_resident", "naturalised")), begins + timedelta(days=50))
        begins += timedelta(days=rng.choice((3, 30)))
    if rng.random() < 0.3:  # in time while status is protected, or late
        receipt = world.receipt()
        filed = begins + timedelta(days=rng.choice((-40, -3, 0, 85, 117, 118)))
        body = {"asks": rng.choice(("change_class", "extend")), "system": "ELIS"}
        world.step(receipt, "filed", max(filed, first), requested_class="F1", **body)
        if rng.random() < 0.4:
            world.step(receipt, "denied", max(filed, first) + timedelta(days=60), requested_class="F1", **body)
    if rng.random() < 0.3:
        day, _ = rng.choice(world.marks)
        world.depart(max(world.near(day), first + DAY))


def corrected(world: World) -> None:
    """Parole, deferred inspection, corrections by the inspecting agency."""
    rng = world.rng
    first = _first_day(world)
    last = world.mark(first + timedelta(days=rng.choice((29, 60, 90))))
    paroled = rng.random() < 0.6
    cls = rng.choice(("DT", "PAR")) if paroled else rng.choice(("B2", "WT", "C1", "H1B", "K1", "GMT"))
    if cls in law.WITHOUT_DATE:
        last = world.mark(first + timedelta(days=law.WITHOUT_DATE[cls] - 1))
    world.arrive(first, cls, last, inspection="paroled" if paroled else "admitted")
    if rng.random() < 0.8:
        day = last - timedelta(days=rng.choice((0, 1, 10, 20)))
        new_class = rng.choice((None, "H1B", "B2")) if paroled else rng.choice((None, None, "H4"))
        world.correct(day, world.mark(last + timedelta(days=rng.choice((-5, 60, 100)))), new_class)
    elif paroled:
        world.fact("parole", last - timedelta(days=5), until=last + timedelta(days=90))
    if rng.random() < 0.3:
        receipt = world.receipt()
        world.step(receipt, "filed", last - timedelta(days=2), asks="extend")
    if rng.random() < 0.4:
        day, _ = rng.choice(world.marks)
        world.depart(max(world.near(day), first + DAY))


def paroled(world: World) -> None:
    """Parole: of a program or not, extended, given anew, ended by a written notice; in place beside a class."""
    rng = world.rng
    first = date(2025, 1, 20) + timedelta(days=rng.randint(0, 200))
    last = world.mark(first + timedelta(days=rng.choice((60, 150, 364))))
    ended = first + timedelta(days=rng.choice((0, 1, 40, 59, 60, 61, 150, 200)))
    if rng.random() < 0.25:
        world.arrive(first, "B2", last)
        begins = world.near(last, most=10)
        world.fact("parole", begins, until=begins + timedelta(days=100))
        ended = begins + timedelta(days=rng.choice((0, 40, 100, 101)))
    else:
        cls = rng.choice(("PAR", "DT", "CHP", "HHP", "NHP", "VHP"))
        world.mark(date(2025, 5, 30))
        world.arrive(first, cls, rng.choice((last, last, last, None)), inspection="paroled")
        if rng.random() < 0.3:
            world.fact("parole", last - timedelta(days=5), until=last + timedelta(days=90))
        elif rng.random() < 0.4:
            world.correct(last - timedelta(days=rng.choice((0, 10))), world.mark(last + timedelta(days=90)))
    if rng.random() < 0.7:
        world.fact("parole_ended", ended)
    if rng.random() < 0.25:
        world.fact("asylum_pending", world.near(min(ended, last), most=5))
    if rng.random() < 0.4:
        day, _ = rng.choice(world.marks)
        world.depart(max(world.near(day), first + DAY))


def seasonal(world: World) -> None:
    """H-2A and H-2B about the day on which their days of grace changed: 89 FR 103202."""
    rng = world.rng
    first = world.near(law.H2_SINCE, most=rng.choice((1, 60)))
    last = _last_day(world, first, 20, 200)
    cls = rng.choice(("H2A", "H2B"))
    world.arrive(first, cls, last)
    for days in (10, 30):
        world.mark(last + timedelta(days=days))
    if rng.random() < 0.4:
        world.fact("employment_ended", world.near(rng.choice((law.H2_SINCE + timedelta(days=2), last)), most=1))
    if rng.random() < 0.4:
        receipt = world.receipt()
        filed = last + timedelta(days=rng.choice((-3, 0, 1, 9, 10, 11, 30, 31)))
        body: dict[str, Any] = {"asks": "extend", "form": "I-129", "system": "ELIS"}
        world.step(receipt, "filed", filed, **body)
        if rng.random() < 0.4:
            world.step(receipt, "denied", filed + timedelta(days=40), **body)
    if rng.random() < 0.5:
        day, _ = rng.choice(world.marks)
        world.depart(max(world.near(day), first + DAY))


def several(world: World) -> None:
    """Several applications for admission, some refused or withdrawn, with and without departures between."""
    rng = world.rng
    day = date(2025, 1, 20) + timedelta(days=rng.randint(0, 100))
    for number in range(rng.choice((2, 2, 3))):
        inspection = rng.choice(("admitted", "admitted", "refused", "withdrawn")) if number else "admitted"
        mode = rng.choice(("air", "air", "land"))
        if inspection == "admitted":
            last = world.mark(day + timedelta(days=rng.randint(30, 120)))
            cls = rng.choice(("B2", "WT", "H1B"))
            if cls == "WT":
                last = world.mark(day + timedelta(days=89))
            world.arrive(day, cls, last, mode=mode)
            world.mark(day)
            if rng.random() < 0.6:
                left = max(last + timedelta(days=rng.choice((-20, -1, 0, 1, 20))), day + DAY)
                evidence = rng.choice(
                    ("inspected", "biometric", "manifest_closed", "manifest", "foreign_entry", "removal")
                )
                world.depart(left, evidence)
            day = last + timedelta(days=rng.randint(40, 90))
        else:
            world.arrive(day, "B2", None, inspection=inspection, mode=mode)
            world.mark(day)
            if rng.random() < 0.6:
                world.depart(day + timedelta(days=rng.choice((1, 2))), rng.choice(("removal", "inspected")))
            day += timedelta(days=rng.randint(40, 90))


def evidence(world: World) -> None:
    """Several reports of a departure, of different strength, and what contradicts them."""
    rng = world.rng
    first = _first_day(world)
    last = _last_day(world, first, 60, 150)
    world.citizenship = rng.choice(("GBR", "CAN", "MEX"))
    world.arrive(first, rng.choice(("B2", "B2", "H1B")), last)
    early = last - timedelta(days=rng.choice((40, 1, 0)))
    weak = rng.choice(("manifest", "manifest_closed"))
    world.depart(early, weak, whole_day=False)
    roll = rng.random()
    if roll < 0.35:  # a stronger one later
        world.depart(
            last + timedelta(days=rng.choice((-1, 1, 30)))
            if early < last - timedelta(days=10)
            else last + timedelta(days=30),
            rng.choice(("biometric", "inspected", "removal", "foreign_entry")),
        )
    elif roll < 0.5:  # a stronger one of the same crossing
        world.depart(early, rng.choice(("biometric", "inspected")), whole_day=False)
    elif roll < 0.8:  # what only somebody present can cause
        day = last + timedelta(days=rng.choice((10, 30)))
        kind = rng.choice(("approved", "enrolment", "seen_inside", "arrested", "biometrics_taken", "filed", "asylum"))
        if kind == "approved":
            receipt = world.receipt()
            world.step(receipt, "filed", first + timedelta(days=20), asks="extend")
            world.step(receipt, "approved", day, asks="extend", granted_until=last + timedelta(days=180))
        elif kind == "enrolment":
            world.fact("encounter", day, reason="enrolment", port="JFK")
        elif kind == "filed":
            world.step(world.receipt(), "filed", day, asks="extend", system="ELIS")
        elif kind == "asylum":
            world.fact("asylum_pending", day)
        else:
            world.fact(kind, day)
    elif roll < 0.9:  # a later weak one after a strong one
        world.depart(early + timedelta(days=40), "biometric")
        world.depart(early + timedelta(days=90), "manifest")
    elif roll < 0.97:
        world.events.pop()
        world.depart(early, rng.choice(("shown", "booking")))


def revalidation(world: World) -> None:
    """A short trip over a land border on the I-94 that still runs."""
    rng = world.rng
    first = _first_day(world)
    last = _last_day(world, first, 100, 150)
    cls = rng.choice(("B2", "H1B", "L1"))
    world.arrive(first, cls, last)
    left = first + timedelta(days=rng.randint(10, 50))
    receipt = world.receipt() if rng.random() < 0.3 else None
    if receipt is not None:
        world.step(receipt, "filed", left - timedelta(days=5), asks="extend", system="ELIS")
    away = rng.choice((2, 29, 30, 31, 45))
    port = rng.choice(list(LAND))
    world.depart(left, rng.choice(("foreign_entry", "inspected")), mode="land", port=port, whole_day=False)
    world.mark(left + timedelta(days=30))
    world.arrive(
        left + timedelta(days=away), cls, rng.choice((None, None, last)), mode="land", port=port, same_i94=True
    )
    if receipt is not None and rng.random() < 0.6:
        result = rng.choice(("approved", "denied"))
        until = world.mark(last + timedelta(days=120)) if result == "approved" else None
        decided = last + timedelta(days=rng.choice((-10, 20)))
        world.step(receipt, result, decided, asks="extend", system="ELIS", granted_until=until)
    if rng.random() < 0.5:
        world.depart(world.near(last), rng.choice(("inspected", "biometric")))


def one_day(world: World) -> None:
    """Left and admitted again on one day or about it, the time of one of the two not being known."""
    rng = world.rng
    first = _first_day(world)
    last = _last_day(world, first, 60, 150)
    cls = rng.choice(("B2", "WT", "H1B"))
    port = rng.choice(list(PORTS))
    world.arrive(first, cls, last, port=port)
    if rng.random() < 0.2:
        world.depart(last - timedelta(days=20), rng.choice(("inspected", "manifest_closed")), port=port)
    back = last + timedelta(days=rng.choice((-30, -1, 0, 1, 10)))
    port = port if rng.random() < 0.7 else rng.choice(list(PORTS))
    whole_day = rng.random() < 0.8
    world.depart(world.near(back) if rng.random() < 0.2 else back, "inspected", port=port, whole_day=whole_day)
    until = world.mark(back + timedelta(days=rng.randint(60, 150)))
    arrival = world.arrive(back, rng.choice(("B2", "H1B")), until, port=port)
    world.mark(back)
    if not whole_day or rng.random() < 0.2:
        arrival["occurred_at"] = world.on(back, PORTS[port])
        world.reseal(arrival)
    if rng.random() < 0.4:
        world.depart(until + timedelta(days=rng.choice((-5, 0, 1))), "biometric")


def again(world: World) -> None:
    """A stay with its program, employment or application; then another, to which those are nothing."""
    rng = world.rng
    first = date(2025, 1, 20) + timedelta(days=rng.randint(0, 60))
    last = world.mark(first + timedelta(days=rng.randint(60, 120)))
    cls = rng.choice(("F1", "H1B", "B2"))
    receipt = world.receipt()
    world.arrive(first, cls, "D/S" if cls == "F1" else last)
    if cls == "F1":
        world.sevis("program", "sevis_active", first - timedelta(days=60), "F1", "created", date(2028, 5, 31))
        if rng.random() < 0.4:
            world.sevis("program", "sevis_terminated", last - timedelta(days=10), "F1", "violation")
    elif cls == "H1B":
        world.fact("employment_ended", last - timedelta(days=rng.choice((10, 70))))
    filed = rng.random() < 0.6
    if filed:
        world.step(receipt, "filed", last - timedelta(days=5), asks="change_class", requested_class="H4")
    if rng.random() < 0.8:
        world.depart(
            last + timedelta(days=rng.choice((-1, 0, 1))), rng.choice(("inspected", "biometric", "manifest_closed"))
        )
    back = last + timedelta(days=rng.randint(20, 60))
    second = world.mark(back + timedelta(days=rng.randint(30, 120)))
    world.arrive(back, rng.choice(("B2", "H1B", "L1")), second)
    world.mark(back)
    if filed and rng.random() < 0.6:
        result = rng.choice(("approved", "denied"))
        granted: dict[str, Any] = (
            {"granted_class": "H4", "granted_until": second + timedelta(days=300)} if result == "approved" else {}
        )
        world.step(receipt, result, back + timedelta(days=10), asks="change_class", requested_class="H4", **granted)
    _maybe_leave(world, second)


def granted_for_later(world: World) -> None:
    """A petition or a change granted for a later day, and work that ends about that day, named or not."""
    rng = world.rng
    first = _first_day(world)
    last = _last_day(world, first, 150, 300)
    cls = rng.choice(("H1B", "L1", "O1", "E3", "R1"))
    world.arrive(first, cls, last)
    decided = first + timedelta(days=rng.randint(20, 60))
    begins = world.mark(rng.choice((last + DAY, *(decided + timedelta(days=days) for days in (1, 30, 70, 100)))))
    asks, new = rng.choice((("change_class", "H4"), ("change_class", "H1B"), ("change_class", "B2"), ("extend", cls)))
    body: dict[str, Any] = {"asks": asks, "form": "I-539" if new in ("H4", "B2") else "I-129", "system": "ELIS"}
    receipt = world.receipt()
    world.step(receipt, "filed", decided - timedelta(days=15), requested_class=new, **body)
    until = world.mark(max(last, begins) + timedelta(days=rng.choice((100, 300))))
    valid = rng.choice((begins, begins, begins, None))
    world.step(receipt, "approved", decided, granted_class=new, granted_until=until, valid_from=valid, **body)
    around = (decided + timedelta(days=rng.randint(-5, 60)), begins - DAY, begins + timedelta(days=rng.randint(1, 40)))
    ended = max(rng.choice(around), first + DAY)
    if rng.random() < 0.75:
        names = (None, None, "EAC0000000077", *((receipt,) if ended > begins else ()))
        world.fact("employment_ended", ended, receipt=rng.choice(names))
        world.mark(ended + timedelta(days=60))
    if rng.random() < 0.3:
        taken = decided + timedelta(days=rng.randint(5, 120))
        world.step(receipt, rng.choice(("withdrawn", "denied")), taken, **body)
    if rng.random() < 0.3:
        marked, _ = rng.choice(world.marks)
        world.depart(max(world.near(marked), first + DAY))


def class_mended(world: World) -> None:
    """The inspecting agency mends the class alone, about the end of an employment or behind an extension."""
    rng = world.rng
    first = _first_day(world)
    last = _last_day(world, first, 120, 300)
    world.arrive(first, rng.choice(("H1B", "L1", "R1", "B2", "H4")), last)
    if rng.random() < 0.4:
        receipt = world.receipt()
        body: dict[str, Any] = {"asks": "extend", "form": "I-129", "system": "ELIS"}
        world.step(receipt, "filed", first + timedelta(days=15), **body)
        until = world.mark(last + timedelta(days=120))
        world.step(receipt, "approved", first + timedelta(days=25), granted_until=until, **body)
    if rng.random() < 0.7:
        ended = first + timedelta(days=rng.randint(10, 130))
        world.fact("employment_ended", ended)
        world.mark(ended + timedelta(days=60))
    day = first + timedelta(days=rng.randint(20, 150))
    event = world.correct(day, last, rng.choice(("H4", "L1", "H1B", "B2", "R1")), rng.choice((None, None, day)))
    del event["granted_until"]
    sealed(event)
    if rng.random() < 0.3:
        marked, _ = rng.choice(world.marks)
        world.depart(max(world.near(marked), first + DAY))


def given_back(world: World) -> None:
    """A student whose record is terminated, active again or not, and who is granted another class or the same."""
    rng = world.rng
    cls = rng.choice(("F2", "J2", "F1"))
    first = _first_day(world)
    end = _last_day(world, first, 100, 250)
    world.arrive(first, cls, "D/S")
    world.sevis("program", "sevis_active", first - timedelta(days=60), cls, "created", end)
    ended = first + timedelta(days=rng.randint(10, 60))
    world.sevis("program", "sevis_terminated", ended, cls, rng.choice(("violation", "violation", "administrative")))
    if rng.random() < 0.8:
        back = ended + timedelta(days=rng.choice((1, 20, 40)))
        world.sevis("program", "sevis_active", back, cls, "reactivated", end + timedelta(days=rng.choice((0, 30))))
    filed = ended + timedelta(days=rng.choice((-5, 5, 15, 30, 60)))
    decided = filed + timedelta(days=rng.choice((10, 40)))
    new = rng.choice(("B2", "H4", cls))
    body: dict[str, Any] = {"asks": "extend" if new == cls else "change_class", "system": "ELIS"}
    receipt = world.receipt()
    world.step(receipt, "filed", filed, requested_class=new, **body)
    if rng.random() < 0.85:
        until = "D/S" if new == cls else world.mark(decided + timedelta(days=rng.choice((60, 150))))
        valid = rng.choice((None, decided))
        world.step(receipt, "approved", decided, granted_class=new, granted_until=until, valid_from=valid, **body)
    if rng.random() < 0.3:
        marked, _ = rng.choice(world.marks)
        world.depart(max(world.near(marked), first + DAY))


def long_vocational(world: World) -> None:
    """M to a date more than a year behind the admission."""
    rng = world.rng
    first = date(2024, 3, 1) + timedelta(days=rng.randint(0, 200))
    end = world.mark(first + timedelta(days=rng.randint(330, 500)))
    world.arrive(first, "M1", world.mark(end + timedelta(days=30)))
    world.mark(first + timedelta(days=365))
    if rng.random() < 0.7:
        world.sevis("program", "sevis_active", first - timedelta(days=60), "M1", "created", end)
    if rng.random() < 0.4:
        marked, _ = rng.choice(world.marks)
        world.depart(max(world.near(marked), first + DAY))


def endorsed(world: World) -> None:
    """What is filed in the days endorsed behind the date: 8 CFR 214.1(l)(1), (3)."""
    rng = world.rng
    first = _first_day(world)
    last = _last_day(world, first, 60, 200)
    world.arrive(first, rng.choice(("H1B", "TN", "L2", "E3", "H4", "O1", "P1", "TD", "H3")), last)
    world.fact("days_endorsed", first, until=last + timedelta(days=rng.choice((5, 10, 12))))
    filed = last + timedelta(days=rng.choice((-1, 0, 1, 5, 6, 10, 11)))
    asked = rng.choice((None, "B2"))
    asks = "change_class" if asked else "extend"
    body: dict[str, Any] = {"asks": asks, "requested_class": asked, "system": rng.choice(("ELIS", "CLAIMS3"))}
    receipt = world.receipt()
    world.step(receipt, "filed", filed, **body)
    if rng.random() < 0.3:
        world.step(receipt, "denied", filed + timedelta(days=rng.choice((1, 40))), **body)
    if rng.random() < 0.15:
        world.fact("employment_ended", last - timedelta(days=rng.choice((5, 70))))
    if rng.random() < 0.3:
        marked, _ = rng.choice(world.marks)
        world.depart(max(world.near(marked), first + DAY))


KINDS: dict[str, Callable[[World], None]] = {
    each.__name__: each
    for each in (
        dated,
        undated,
        unlimited,
        waiver,
        applications,
        worker,
        ported,
        designated,
        beyond,
        victims,
        transferred,
        student,
        vocational,
        cap_gap,
        protected,
        corrected,
        paroled,
        seasonal,
        several,
        evidence,
        revalidation,
        one_day,
        again,
        granted_for_later,
        class_mended,
        given_back,
        long_vocational,
        endorsed,
    )
}


# --- what happens to any history -------------------------------------------------------------------------------------


def _protect(world: World) -> None:
    """A protection or an adjustment beside all else."""
    rng = world.rng
    arrived = min(date.fromisoformat(e["occurred_at"]["at"][:10]) for e in world.events if e["kind"] == "arrival")
    day, _ = rng.choice(world.marks)
    begins = max(world.near(day, most=3), arrived + timedelta(days=2))
    kind = rng.choice(("asylum", "deferred", "action", "adjust", "voluntary", "denied"))
    if kind == "asylum":
        world.fact("asylum_pending", begins)
    elif kind == "deferred":
        world.fact("deferred_departure", begins, until=begins + timedelta(days=90))
    elif kind == "action":
        world.fact("deferred_action", begins, until=begins + timedelta(days=90))
    elif kind == "voluntary":
        world.fact("voluntary_departure", begins, until=begins + timedelta(days=60))
    else:
        receipt = world.receipt()
        world.step(receipt, "filed", begins, asks="adjust", form="I-485")
        if kind == "denied":
            world.step(receipt, "denied", begins + timedelta(days=70), asks="adjust", form="I-485")


def _cover(world: World) -> None:
    rng = world.rng
    beginning = datetime(2000, 1, 1, tzinfo=UTC)
    roll = rng.random()
    if roll < 0.6:
        world.cover(beginning, KNOWN)
    elif roll < 0.7:
        world.cover(beginning, KNOWN, ("air", "land"))
    elif roll < 0.9:
        day, zone = rng.choice(world.marks)
        through = world.edge(world.near(day, most=2), zone)
        world.cover(beginning, KNOWN, ("sea",))
        world.cover(beginning, min(max(through, beginning), KNOWN), ("air", "land"))
    else:
        day, zone = rng.choice(world.marks)
        middle = world.edge(day, zone)
        middle = min(middle, KNOWN - timedelta(days=3))
        gap = timedelta(seconds=rng.choice((0, 0, 3600)))
        world.cover(beginning, middle)
        world.cover(middle + gap, KNOWN)


def _noise(world: World) -> None:
    rng = world.rng
    day, _ = rng.choice(world.marks)
    for _ in range(rng.choice((1, 2))):
        kind = rng.choice(("visa_issued", "esta_approved", "lead_opened", "lead_closed", "encounter", "visa_revoked"))
        if kind == "encounter":
            world.sevis("person", kind, day, "F1", "personal-information")
        else:
            world.fact(kind, day)


def _change_a_record(world: World) -> None:
    """A later revision of a record: taken back, said again, or moved by a day."""
    rng = world.rng
    able = [e for e in world.events if e["kind"] in ("departure", "extension", "status")]
    if not able:
        return
    old = rng.choice(able)
    new = json.loads(json.dumps(old))
    new["revision"]["number"] = 2
    roll = rng.random()
    if roll < 0.5:
        new["operation"] = "retract"
    elif roll < 0.7 and old["kind"] == "departure":
        moment = new["occurred_at"]
        shift = timedelta(days=rng.choice((-1, 1)))
        if moment["precision"] == "day":
            moment["day"] = (date.fromisoformat(moment["day"]) + shift).isoformat()
        else:
            moment["at"] = _text(datetime.fromisoformat(moment["at"]) + shift)
    world.events.append(sealed(new))
    if rng.random() < 0.3:
        again = json.loads(json.dumps(old))
        again["revision"]["number"] = 3
        world.events.append(sealed(again))


def _spread_knowledge(world: World) -> datetime:
    """Publication stamps of their own, and an instant of knowing among them."""
    stamps = []
    for event in world.events:
        if event["kind"] == "coverage":
            continue
        stamp = KNOWN - timedelta(hours=world.rng.randint(0, 72))
        when = event["occurred_at"].get("at") or event["occurred_at"]["day"] + "T23:59:59Z"
        stamp = max(stamp, datetime.fromisoformat(when) + timedelta(hours=1))
        event["published_at"] = _text(stamp)
        stamps.append(stamp)
    return world.rng.choice(sorted(stamps))
