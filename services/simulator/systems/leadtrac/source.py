"""LeadTrac as the simulator has it: files of leads on those who stayed past their last day, and on some students.

Leads are closed once a departure is reported. A file has what was changed in a month.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from services.simulator.clock import iso, utc_day
from services.simulator.log import PersonLog, birth_text, reported_at, reported_departure
from services.simulator.noise import Description
from services.simulator.population.plans import Stay
from services.simulator.population.rates import table
from services.simulator.rng import Rng
from services.simulator.source import Counts, Feeds, Run, Source, Writer
from services.simulator.systems.leadtrac import rates

MONTH = 30


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead on a stay: its number, type, source and the day on which it was opened."""

    number: str
    type: str
    source: str
    record: str
    opened: int


@dataclass(slots=True)
class LeadTracWriter:
    """Writes the files, once all persons are known."""

    run: Run
    leads: int = 0
    organisations: int = 0
    details: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))  # by day of the last change
    rng: Rng = field(init=False)
    last: int = field(init=False)  # day

    def __post_init__(self) -> None:
        self.rng = self.run.rng()
        self.last = utc_day(self.run.span.records_end) - 1

    def write(self, log: PersonLog) -> None:
        """Write the leads on each admission of a person."""
        for stay in log.person.stays:
            if stay.inspection != "A" or not stay.number or reported_at(stay.arrival) > self.run.span.records_end:
                continue
            lead = self._lead(stay, log)
            if lead is not None:
                self._write(lead, stay, log)

    def finish(self) -> Counts:
        """Write the files, each with the changes of a month, in order of the days of change."""
        self.run.place.mkdir()
        months: dict[int, list[str]] = defaultdict(list)
        for day, lines in sorted(self.details.items()):
            months[day // MONTH] += lines
        for sequence, (month, lines) in enumerate(sorted(months.items()), 1):
            made = iso((month + 1) * MONTH)
            whole = [f"H|1|{sequence}|{made}T04:00:00Z", *lines, f"T|{sequence}|{len(lines)}"]
            (self.run.place / f"LEADS.{sequence:06}").write_text("\n".join(whole) + "\n", encoding="utf-8")
        read = sum(map(len, self.details.values()))
        return {"read": read, "published": read - self.organisations, "filtered": self.organisations}

    def _lead(self, stay: Stay, log: PersonLog) -> Lead | None:
        """Return the lead on a stay, None where none was opened by the end of the records."""
        departure = stay.departure
        past = stay.last_day and (departure is None or departure.day > stay.last_day)
        if past and self.rng.chance(rates.LEAD):
            kind, source, since = "O", "ADIS", stay.last_day
        elif stay.program is not None and self.rng.chance(rates.VIOLATOR):
            kind, source, since = "V", "SEVIS", stay.arrival.day
        else:
            return None
        opened = since + self.rng.between(*rates.LATER)
        known = () if self.rng.chance(rates.UNTOLD) else [each for each in log.records if each.system == source]
        if opened > self.last:
            return None
        self.leads += 1
        return Lead(f"L{self.leads:07}", kind, source, known[-1].record if known else "", opened)

    def _write(self, lead: Lead, stay: Stay, log: PersonLog) -> None:
        """Write the lead as it was opened, and again as it was closed."""
        mistakes = self.run.mistakes
        described = mistakes.describe(log.person, stay)
        number = mistakes.number("i94", stay.number, described)
        self._detail("N", lead, stay, described, number)
        departure = reported_departure(stay, log.span)
        if departure is not None:
            closed = max(departure.day, lead.opened) + rates.LATER[0]
            if closed <= self.last:
                self._detail("C", lead, stay, described, number, closed)
        identifiers = {f"i94:{number}", f"passport:{described.passport.state}:{described.passport.number}"}
        log.add(self.run.system, lead.number, identifiers, described.kinds)
        if self.rng.chance(rates.ORGANISATION):
            self.organisations += 1
            day = iso(lead.opened)
            blanks = "|" * 11
            line = f"D|G{self.organisations:06}|N|G|||{blanks}{day}|||OPEN||{day}T20:00:00Z"
            self.details[lead.opened].append(line)

    def _detail(
        self, action: str, lead: Lead, stay: Stay, described: Description, number: str, closed: int = 0
    ) -> None:
        person, passport = described.person, described.passport
        changed = closed or lead.opened
        values = (
            *("D", lead.number, action, lead.type, f"S{person.number:07}", lead.source, lead.record),
            *(person.family, person.given, birth_text(person.birth), person.sex, person.citizenship),
            stay.program.sevis_id if stay.program is not None else "",
            *(number, passport.number, passport.state, person.a_number),
            *(iso(lead.opened), iso(closed) if closed else "", "DEPARTED" if closed else ""),
            *("CLOSED" if closed else "ENRICH", "", f"{iso(changed)}T20:00:00Z"),
        )
        self.details[changed].append("|".join(values))


class LeadTrac(Source):
    """A system that drops files."""

    system = "LEADTRAC"
    place = "leadtrac"
    derived = True
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return LeadTracWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the files."""
        return {"LEADTRAC.leads": {"url": place.as_uri()}}


SOURCE = LeadTrac()
