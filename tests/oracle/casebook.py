"""Histories as data: one page a subject, each of its short lines an event or a question with its right outcomes.

`= name: the law` begins a history; a line that begins with `?` asks: day, clock, port (JFK), `known=` day, and the
right outcome of each stay in order, alternatives parted by a bar where the law leaves both open. All other lines are
events, by `VERBS`; `again` before one tells the record of the event above anew. A day may be so many behind another:
`2026-03-15+60`. Times are those of the port that the line names; what became known or complete did so at noon UTC, or
at a clock behind a `T`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from oracle.histories import KNOWN, LAND, PORTS, World
from oracle.reading import Event
from schemas.outcomes import Outcome

PAGES = Path(__file__).with_name("casebook")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
FURTHER = {
    "ADK": "America/Adak",
    "ORD": "America/Chicago",
    "PHX": "America/Phoenix",
    "PPG": "Pacific/Pago_Pago",
}
"""Ports beside those of the random histories."""
WHERE = {**PORTS, **LAND, **FURTHER}


@dataclass(frozen=True)
class Question:
    """What is asked, and the right outcome of each stay in order; alternatives are parted by a bar."""

    on: datetime
    known_at: datetime | None
    right: tuple[tuple[str, ...], ...]
    line: str  # where it stands: students.txt:12


@dataclass
class Entry:
    """A history, the law that it stands for, and the questions."""

    name: str
    why: str = ""
    lines: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def events(self) -> list[Event]:
        """The events; departures are known complete throughout unless the page says otherwise."""
        world = World(Random(self.name))
        if not any(line.split()[0] == "covered" for line in self.lines):
            world.cover(LONG_AGO, KNOWN)
        for line in self.lines:
            _tell(world, line)
        return world.events


def day_of(text: str) -> date:
    """A day, as itself or so many days behind another: `2026-03-15+60`."""
    day, _, more = text.partition("+")
    return date.fromisoformat(day) + timedelta(days=int(more or 0))


def instant(day: str, clock: str, port: str) -> datetime:
    """An instant by the clock of a port."""
    return datetime.combine(day_of(day), time.fromisoformat(clock), ZoneInfo(WHERE[port])).astimezone(UTC)


def stamp(text: str) -> datetime:
    """The instant at which something became known: noon, or the clock behind a `T`."""
    day, _, clock = text.partition("T")
    return datetime.combine(day_of(day), time.fromisoformat(clock or "12:00"), UTC)


def _published(event: Event, text: str) -> None:
    event["published_at"] = stamp(text).isoformat().replace("+00:00", "Z")


def _split(words: list[str]) -> tuple[list[str], dict[str, str]]:
    return [w for w in words if "=" not in w], dict(w.split("=", 1) for w in words if "=" in w)


def _until(text: str | None) -> date | str | None:
    return None if text in (None, "-") else "D/S" if text == "D/S" else day_of(str(text))


def _came(w: World, plain: list[str], more: dict[str, str]) -> Event:
    cls, until, day = plain
    port = more.get("port", "JFK")
    event = w.arrive(
        day_of(day),
        None if cls == "-" else cls,
        _until(until),
        port="JFK",
        inspection=more.get("how", "admitted"),
        same_i94=more.get("number") == "same",
        numbered=more.get("number") != "no",
    )
    w.zone = WHERE[port]
    event["mode"] = "land" if port in LAND else "air"
    return _placed(w, event, day, more)


def _placed(w: World, event: Event, day: str, more: dict[str, str]) -> Event:
    port = more.get("port", "JFK")
    event["port"] = port
    if more.get("hour") == "day":
        event["occurred_at"] = w.on(day_of(day), WHERE[port])
    else:
        event["occurred_at"] = w.at(instant(day, more.get("hour", "12:00"), port), WHERE[port])
    return event


def _left(w: World, plain: list[str], more: dict[str, str]) -> Event:
    (day,) = plain
    event = w.depart(date(2026, 1, 1), more.get("by", "inspected"), port="JFK", whole_day=False)
    event["mode"] = "land" if more.get("port") in LAND else "air"
    return _placed(w, event, day, more)


def _step(w: World, plain: list[str], more: dict[str, str]) -> Event:
    day, action, asks = plain
    cls = more.get("cls")
    asked = {"requested_class": cls} if action == "filed" else {"granted_class": cls}
    event = w.step(
        more.get("receipt", "IOE0000000001"),
        action,
        date(2026, 1, 2),
        asks=asks,
        system=more.get("system", "ELIS"),
        form=more.get("form", "I-485" if asks == "adjust" else "I-539"),
        filed_on_paper={"yes": True, "no": False}.get(more.get("paper", "")),
        filed_on=more.get("received"),
        granted_until=_until(more.get("until")),
        valid_from=_until(more.get("valid")),
        **asked,
    )
    event["occurred_at"] = w.on(day_of(day))
    if more.get("number") == "no":
        event["subject"]["identifiers"].pop()
    return event


def _mended(w: World, plain: list[str], more: dict[str, str]) -> Event:
    (day,) = plain
    valid = day_of(more["valid"]) if "valid" in more else None
    event = w.correct(day_of(day), date(2026, 12, 1), more.get("cls"), valid)
    until = _until(more.get("until"))
    if until is None:
        del event["granted_until"]
    else:
        event["granted_until"] = str(until)
    return event


def _fact(w: World, plain: list[str], more: dict[str, str]) -> Event:
    fact, day = plain
    until = _until(more.get("until"))
    return w.fact(
        fact,
        day_of(day),
        until=until if isinstance(until, date) else None,
        receipt=more.get("receipt"),
        reason=more.get("reason"),
        class_of_admission=more.get("cls"),
        port=more.get("port"),
    )


def _program(w: World, plain: list[str], more: dict[str, str]) -> Event:
    fact, cls, reason, day, *until = plain
    part = more.get("part", "program")
    return w.sevis(part, f"sevis_{fact}", day_of(day), cls, reason, day_of(until[0]) if until else None)


def _citizen(w: World, plain: list[str], more: dict[str, str]) -> None:
    (w.citizenship,) = plain


def _covered(w: World, plain: list[str], more: dict[str, str]) -> None:
    since = stamp(more["since"]) if "since" in more else LONG_AGO
    for through in plain:
        before = len(w.events)
        w.cover(since, stamp(through), tuple(more.get("modes", "air,sea,land").split(",")))
        for event in w.events[before:]:
            _published(event, more.get("known", through))


def _taken_back(w: World, plain: list[str], more: dict[str, str]) -> Event:
    event = {**w.events[-int(plain[0]) if plain else -1], "revision": {"number": 2, "digest": ""}}
    event["operation"] = "retract"
    w.events.append(event)
    return event


def _again(w: World, line: str) -> None:
    before, number = w.events[-1], w.i94
    _tell(w, line)
    w.i94 = number
    w.events[-1] |= {key: before[key] for key in ("record", "subject")} | {"revision": {"number": 2, "digest": ""}}
    w.reseal(w.events[-1])


VERBS: dict[str, Callable[[World, list[str], dict[str, str]], Event | None]] = {
    "citizen": _citizen,
    "covered": _covered,
    "came": _came,
    "left": _left,
    "asks": _step,
    "mended": _mended,
    "fact": _fact,
    "sevis": _program,
    "taken-back": _taken_back,
}
WORDS = {
    "citizen": "",
    "covered": "since modes",
    "came": "port hour how number",
    "left": "port hour by",
    "asks": "cls until valid receipt system form paper received number",
    "mended": "cls until valid",
    "fact": "until receipt reason cls port",
    "sevis": "part",
    "taken-back": "",
}
"""The words with a value that a line may have beside `known`."""


def _tell(w: World, line: str) -> None:
    verb, _, words = line.partition(" ")
    if verb == "again":
        _again(w, words)
        return
    plain, more = _split(words.split())
    event = VERBS[verb](w, plain, more)
    if event is not None:
        if "known" in more:
            _published(event, more["known"])
        w.reseal(event)


_ASKED = re.compile(r"^\? (\S+) (\S+)( [A-Z]{3})?( known=\S+)?: (.+)$")


def _question(line: str, place: str) -> Question:
    match = _ASKED.match(line)
    if match is None:
        raise ValueError(f"{place}: no question: {line}")
    day, clock, port, known, right = match.groups()
    unknown = {one for each in right.split() for one in each.split("|")} - set(Outcome)
    if unknown:
        raise ValueError(f"{place}: no outcome: {', '.join(sorted(unknown))}")
    return Question(
        instant(day, clock, (port or "JFK").strip()),
        stamp(known.partition("=")[2]) if known else None,
        tuple(tuple(one.split("|")) for one in right.split()),
        place,
    )


def histories() -> list[Entry]:
    """The histories of the pages beside this module."""
    return [entry for page in sorted(PAGES.glob("*.txt")) for entry in read(page.read_text(), page.name)]


def read(page: str, name: str = "line") -> Iterator[Entry]:
    """The histories of a page; raises ValueError with the line that is none of a history."""
    entry: Entry | None = None
    for number, line in enumerate(page.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("= "):
            if entry:
                yield entry
            title, _, why = line[2:].partition(": ")
            entry = Entry(title, why)
        elif entry is None:
            raise ValueError(f"{name}:{number}: before the first history")
        elif line.startswith("? "):
            entry.questions.append(_question(line, f"{name}:{number}"))
        else:
            _understood(line, f"{name}:{number}")
            entry.lines.append(line)
    if entry:
        yield entry


def _understood(line: str, place: str) -> None:
    verb, *words = line.removeprefix("again ").split()
    unknown = {verb} - set(VERBS) or set(_split(words)[1]) - {"known", *WORDS[verb].split()}
    if unknown:
        raise ValueError(f"{place}: no word of a history: {', '.join(sorted(unknown))}")
