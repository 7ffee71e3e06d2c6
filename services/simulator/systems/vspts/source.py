"""VSPTS-Net as the simulator has it: batches of XML, one for each month in which something was decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from services.simulator.clock import iso, utc_day
from services.simulator.log import PersonLog, birth_text
from services.simulator.noise import Description
from services.simulator.population.plans import Visa, without_hyphen
from services.simulator.population.rates import table
from services.simulator.rng import Choice, Rng
from services.simulator.source import Counts, Feeds, Run, Source, Writer
from services.simulator.systems.vspts import rates

MONTH = 30
LONGEST = 80
"""Signs of a name in an element."""
ISSUE, REFUSE, MORE = "RECOMMEND ISSUE", "RECOMMEND REFUSE", "MORE"


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision on an application on a day (ordinal); `group` is that of the reasons for a refusal."""

    day: int
    what: str
    group: str = ""


@dataclass(slots=True)
class VsptsWriter:
    """Writes the batches, once all persons are known."""

    run: Run
    batches: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))  # by day of the change
    rng: Rng = field(init=False)
    groups: Choice[str] = field(init=False)
    last: int = field(init=False)  # day

    def __post_init__(self) -> None:
        self.rng = self.run.rng()
        self.groups = Choice(rates.GROUPS)
        self.last = utc_day(self.run.span.records_end) - 1

    def write(self, log: PersonLog) -> None:
        """Write the decisions on the applications of a person."""
        for visa in log.person.visas:
            if not visa.application or not self.rng.chance(rates.VETTED):
                continue
            described = self.run.mistakes.describe(log.person, log.person.stays[0])
            self._application(log, visa, described, list(self._decisions(visa)))
            if self.rng.chance(rates.REFUSED_LATER):
                day = log.person.stays[-1].arrival.day + self.rng.between(30, 300)
                other = Visa("", visa.visa_class, 0, 0, application=f"AAZ{log.person.number:07}", post=visa.post)
                self._application(log, other, described, [self._refusal(day)])

    def finish(self) -> Counts:
        """Write the files."""
        self.run.place.mkdir()
        months: dict[int, list[str]] = defaultdict(list)
        for day, records in sorted(self.batches.items()):
            months[day // MONTH] += records
        for sequence, (month, records) in enumerate(sorted(months.items()), 1):
            header = _tag("BatchSequence", str(sequence))
            header += _tag("CreatedAt", f"{iso((month + 1) * MONTH)}T02:00:00Z")
            header += _tag("RecordCount", str(len(records)))
            lines = [
                '<?xml version="1.0" encoding="UTF-8"?>',
                '<VettingBatch xmlns="urn:visabus:vspts:1">',
                f"<BatchHeader>{header}</BatchHeader>",
                *records,
                "</VettingBatch>",
            ]
            path = self.run.place / f"VSPTS.{sequence:06}.xml"
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        read = sum(map(len, self.batches.values()))
        return {"read": read, "published": read, "filtered": 0}

    def _decisions(self, visa: Visa) -> Iterator[Decision]:
        """Yield the decisions on an application whose visa was issued, in order; the last is on the day before."""
        room = visa.issued - visa.applied
        if room > 2 and self.rng.chance(rates.MORE):
            yield Decision(visa.applied + 1, MORE)
        if room > 2 and self.rng.chance(rates.LIFTED):
            yield self._refusal(visa.applied + 2)
        yield Decision(max(visa.applied, visa.issued - 1), ISSUE)

    def _refusal(self, day: int) -> Decision:
        return Decision(day, REFUSE, self.groups.draw(self.rng.random))

    def _application(self, log: PersonLog, visa: Visa, described: Description, decisions: list[Decision]) -> None:
        """Write what was decided by the end of the records; some earlier decisions come again later."""
        known = [each for each in decisions if each.day <= self.last]
        for number, decision in enumerate(known):
            final = number == len(known) - 1
            record = self._record(visa, described, decision, new=not number)
            self.batches[decision.day].append(record)
            again = decision.day + MONTH + self.rng.between(1, MONTH)
            if not final and self.rng.chance(rates.SENT_AGAIN) and again <= self.last:
                self.batches[again].append(record)
        if not known:
            return
        passport = described.passport
        identifiers = {f"visa_application:{visa.application}", f"passport:{passport.state}:{passport.number}"}
        log.add(self.run.system, visa.application, identifiers, described.kinds)
        if known[-1].what == MORE:
            log.retract(self.run.system, visa.application)

    def _record(self, visa: Visa, described: Description, decision: Decision, *, new: bool) -> str:
        person, passport = described.person, described.passport
        applicant = (
            ("FamilyName", person.family[:LONGEST]),
            ("GivenName", person.given[:LONGEST]),
            ("BirthDate", birth_text(person.birth)),
            ("Sex", person.sex),
            ("Citizenship", person.citizenship),
        )
        content = "".join(
            (
                _tag("ApplicationID", visa.application),
                _tag("Post", visa.post),
                _tag("VisaClass", without_hyphen(visa.visa_class)),
                f"<Applicant>{''.join(_tag(*each) for each in applicant)}</Applicant>",
                f"<Passport>{_tag('Number', passport.number)}{_tag('State', passport.state)}</Passport>",
                _tag("Decision", decision.what),
                _tag("ReasonGroup", decision.group),
                _tag("DecidedAt", f"{iso(decision.day)}T14:05:00Z"),
                _tag("UpdatedAt", f"{iso(decision.day)}T14:06:00Z"),
                _tag("Analyst", "X0815"),
            )
        )
        return f'<Vetting action="{"N" if new else "C"}">{content}</Vetting>'


def _tag(name: str, text: str) -> str:
    """Return an element with text; nothing for none."""
    return f"<{name}>{escape(text)}</{name}>" if text else ""


class Vspts(Source):
    """A system that drops files."""

    system = "VSPTS"
    place = "vspts"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return VsptsWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the batches."""
        return {"VSPTS.batches": {"url": place.as_uri(), "options": {"unchanged": 0}}}


SOURCE = Vspts()
