"""Writes the queries that the police make about a person, and both answers to each."""

from __future__ import annotations

import os
from time import time

from services.simulator.clock import DAY, stamp
from services.simulator.log import PersonLog
from services.simulator.noise import Description
from services.simulator.population.names import plain
from services.simulator.population.plans import Stay
from services.simulator.source import Counts, Run
from services.simulator.spill_buffer import SpillBuffer
from services.simulator.systems.acrime import rates

OPENING = "LOG "
LONGEST_NAME = 30
_AGENCIES = ("ZZ0000000", "ZZ0010000", "ZZ0020000", "ZZ0030000")
_OFFENCES = ("5404", "1399", "5499", "0301", "0399")
_FREE = "THIS IS NOT A GOVERNMENT DETAINER.\nARN/ AND FIN/ ABOVE ARE OF THE RECORD THAT WAS MET FIRST.\n"


class AcrimeWriter:
    """Writes messages."""

    def __init__(self, run: Run) -> None:
        run.place.mkdir(parents=True)
        self._run = run
        self._rng = run.rng()
        self._mistakes = run.mistakes
        self._spill_buffer = SpillBuffer(run.place)
        self._control = self._logged = 0
        self.read = self.filtered = 0

    def write(self, log: PersonLog) -> None:
        """Write the queries about a person."""
        person = log.person
        for stay in person.stays:
            # a query by a single name or part of a birth, without a number, is about nobody in particular
            known = person.a_number or (person.fin and plain(person))
            if stay.inspection == "A" and known and self._rng.chance(rates.QUERIED):
                self._queried(log, stay)

    def finish(self) -> Counts:
        """Complete the files, a day in each, by the time of the log."""
        for day, data in self._spill_buffer.take():
            lines = sorted(line.split("\t") for line in data.decode("ascii").splitlines())
            path = self._run.place / f"ACRIME.D{day}"
            texts = []
            for at, _, body in lines:
                self._logged += 1
                texts.append(f"{OPENING}{at} {self._logged:010}\n" + body.replace("\x1f", "\n"))
            path.write_text("".join(texts), encoding="ascii", newline="\n")
            lain = int(time()) - 3_600
            os.utime(path, (lain, lain))
        return {"read": self.read, "published": self.read - self.filtered, "filtered": self.filtered}

    def _queried(self, log: PersonLog, stay: Stay) -> None:
        """Write a query during a stay, with its answers."""
        end = self._run.span.records_end - DAY
        last = min(stay.departure.at if stay.departure is not None else end, end)
        first = stay.arrival.at + DAY
        if last <= first:
            return
        at = self._rng.between(first, last)
        ori, control = self._rng.one(_AGENCIES), self._new()
        person = log.person
        described = self._mistakes.describe(person, stay, documented=False)
        alien = self._mistakes.number("alien", person.a_number, described)
        case = f"case:ACRIME:{ori}-{control}-{stamp(at)[:4]}"
        asked_by = alien if alien and (self._rng.chance(rates.WITH_ALIEN) or not plain(person)) else ""
        query = self._query(described, asked_by)
        self._send(at, f"IAQ.{ori}.AX.*{control}.TXT\n{query}")
        if self._rng.chance(rates.SENT_AGAIN):
            self._send(at + 300, f"IAQ.{ori}.AX.*{control}.TXT\n{query}")
        record = f"{ori}/{control}/{stamp(at)[:4]}"
        log.add(self._run.system, record, {case, *_listed("a_number", asked_by)}, described.kinds)
        self._acknowledged(at + 2, ori, control)
        answered = at + self._rng.between(*rates.ANSWERED_AFTER)
        if stamp(answered)[:4] == stamp(at)[:4]:
            self._answer(log, described, alien, answered, ori, control, case, record)
        if self._rng.chance(rates.NO_RECORD):
            self._unknown(at + 900)

    def _answer(
        self,
        log: PersonLog,
        described: Description,
        alien: str,
        at: int,
        ori: str,
        control: str,
        case: str,
        record: str,
    ) -> None:
        person = described.person
        lines = ["TYP/RESP", f"NAM/{_name(described)}"]
        if person.birth[6:] != "00":
            lines.append(f"DOB/{person.birth}")
        lines += [f"SEX/{person.sex}", *([f"ARN/{_digits(alien)}"] if alien else [])]
        if log.person.fin:
            lines.append(f"FIN/{log.person.fin}")
        lines += [
            "STA/SUBJECT HAS BEEN ADMITTED AS A NONIMMIGRANT",
            f"DET/{'Y' if self._rng.chance(rates.DETAINER) else 'N'}",
        ]
        body = "\n".join(lines)
        self._send(at, f"IAR.AX.{ori}.*{control}.TXT\n{body}\n{_FREE}")
        identifiers = {case, *_listed("a_number", alien), *_listed("fin", log.person.fin)}
        log.add(self._run.system, f"{record}/RESP", identifiers, described.kinds)

    def _unknown(self, at: int) -> None:
        """Write the answer to a query about somebody of whom nothing is known; the query went another way."""
        ori, control = self._rng.one(_AGENCIES), self._new()
        body = "TYP/RESP\nSTA/NO RECORD\nDET/N\n"
        self._send(at, f"IAR.AX.{ori}.*{control}.TXT\n{body}", filtered=True)

    def _acknowledged(self, at: int, ori: str, control: str) -> None:
        body = "TYP/ACK\nYOUR QUERY IS BEING PROCESSED.\n"
        self._send(at, f"IAR.AX.{ori}.*{control}.TXT\n{body}", filtered=True)

    def _query(self, described: Description, alien: str) -> str:
        person, rng = described.person, self._rng
        tags = ["PUR/C", "ATN/SGT R. HOLLOWAY", "PHN/5055550117", f"NAM/{_name(described)}"]
        year, month, day = person.birth[:4], person.birth[4:6], person.birth[6:]
        if day != "00":
            short = rng.chance(rates.SHORT_BIRTH) and int(year) > 1930
            tags.append(f"DOB/{month}{day}{year[2:]}" if short else f"DOB/{person.birth}")
        tags += [f"SEX/{person.sex}", "POB/MM", f"CUS/{'Y' if rng.chance(rates.IN_CUSTODY) else 'N'}"]
        tags.append(f"OFF/{rng.one(_OFFENCES)}")
        if alien:
            tags.append(f"ARN/{_digits(alien)}")
        return ".".join(tags) + "\n"

    def _new(self) -> str:
        self._control += 1
        return f"{self._control:07}"

    def _send(self, at: int, text: str, *, filtered: bool = False) -> None:
        """Put a message into the log of its day."""
        self.read += 1
        self.filtered += filtered
        day = stamp(at)[:8]
        held = text.replace("\n", "\x1f")
        self._spill_buffer.add(day, f"{stamp(at)}\t{self.read:010}\t{held}\n".encode("ascii"))


def _name(described: Description) -> str:
    """LAST, FIRST MIDDLE, as long as the field is."""
    person = described.person
    return (f"{person.family}, {person.given}" if person.given else person.family)[:LONGEST_NAME].strip(" ,")


def _digits(alien: str) -> str:
    """An A-number of eight digits where it begins with a zero, of nine otherwise."""
    digits = alien.removeprefix("A")
    return digits[1:] if digits.startswith("0") else digits


def _listed(scheme: str, value: str) -> set[str]:
    return {f"{scheme}:{value}"} if value else set()
