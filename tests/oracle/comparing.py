"""Where oracle and product differ on a history, and the smallest history on which they still do."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from oracle.calculator import Answer, outcome
from oracle.days import start_of
from oracle.histories import History
from oracle.product import product
from oracle.reading import key_of, standing


@dataclass(frozen=True)
class Difference:
    """An admission of which the product says what no reading of the law gives."""

    record: str
    oracle: Answer
    product: str
    reason: str

    @property
    def pair(self) -> tuple[tuple[str, ...], str]:
        """What the two say."""
        return self.oracle.outcomes, self.product

    def __str__(self) -> str:
        """One line for a person to read."""
        oracle = " or ".join(self.oracle.outcomes)
        return f"{self.record}: oracle {oracle} ({self.oracle.reason}), product {self.product} ({self.reason})"


def differences(history: History) -> list[Difference]:
    """The admissions of which the product says what no reading of the law gives."""
    answers = outcome(history.events, history.as_of, history.known_at)
    result = product(history.events, history.as_of, history.known_at)
    known = {key_of(e): e for e in standing(history.events, history.known_at) if e["kind"] == "arrival"}
    differ = []
    for key, answer in answers.items():
        message, reason = result.get(start_of(known[key]["occurred_at"]), ("no stay", ""))
        if message not in answer.outcomes:
            differ.append(Difference(key[1], answer, message, reason))
    return differ


def shrunk(history: History) -> History:
    """The history without the events that the first difference does not need."""
    first = differences(history)[0].pair
    smallest = history
    again = True
    while again:
        again = False
        for event in smallest.events:
            fewer = replace(smallest, events=[e for e in smallest.events if e is not event])
            try:
                if any(each.pair == first for each in differences(fewer)):
                    smallest, again = fewer, True
                    break
            except (ValueError, KeyError, IndexError):
                continue
    return smallest


def as_lines(history: History, differs: list[Difference]) -> str:
    """A head line that says what differs, then the events, one a line, for a person to read."""
    head = {
        "seed": history.seed,
        "kind": history.kind,
        "as_of": history.as_of.isoformat(),
        "known_at": history.known_at.isoformat() if history.known_at else None,
        "differs": [str(each) for each in differs],
    }
    return "\n".join(json.dumps(each, sort_keys=True) for each in (head, *history.events)) + "\n"
