"""What of a pool's facts may be told without the right to what the law keeps confidential.

The version of a record that counts is chosen first, by all that is known today, and then the whole record is hidden: a
mark that comes late hides what was open before, also where it is asked what was known before the mark came (8 U.S.C.
1367 and 8 CFR 208.6 forbid telling; that it was told once does not permit telling it again). A retraction tells nothing
by itself, so it is as confidential as what it takes back, and one that is marked is heard like any other. Of a record
whose version that counts is open the marked versions before it are left out, as if they had never come.

Who lacks the right is answered from these facts alone, by the same functions, so that the answer is that of a world
without the confidential records.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from services.domain.facts import Fact


def any_marked(facts: Iterable[Fact]) -> bool:
    """Whether any of the facts is marked: if none is, all may be told."""
    for fact in facts:  # noqa: SIM110 - every pool comes by here, and a generator costs three times as much
        if fact.handling:
            return True
    return False


def open_facts(facts: Collection[Fact]) -> Collection[Fact]:
    """The facts that may be told, of all that are known of their records; the same collection if that is all of them.

    Decisions on a hidden record are left out with it.
    """
    if not any_marked(facts):
        return facts
    marked = {(fact.system, fact.record) for fact in facts if fact.handling}
    versions: dict[tuple[str, str], list[Fact]] = {record: [] for record in marked}
    for fact in facts:
        held = versions.get((fact.system, fact.record))
        if held is not None:
            held.append(fact)
    hidden = {record for record, parts in versions.items() if is_hidden(parts)}
    decisions = [fact for fact in facts if fact.kind == "decision"] if hidden else []
    while more := {(fact.system, fact.record) for fact in decisions if not hidden.isdisjoint(_decided(fact))} - hidden:
        hidden |= more
    return [fact for fact in facts if not fact.handling and (fact.system, fact.record) not in hidden]


def is_hidden(versions: Collection[Fact]) -> bool:
    """Whether the version of a record that counts is confidential, of all facts of the record."""
    whole = [fact for fact in versions if not fact.amends]
    counting = _highest(whole)
    if any(fact.handling for fact in _with_amendments(counting, versions)):
        return True
    if not any(fact.retract for fact in counting):
        return False
    taken_back = _highest([fact for fact in whole if not fact.retract])
    return any(fact.handling for fact in _with_amendments(taken_back, versions))


def _highest(whole: Collection[Fact]) -> list[Fact]:
    highest = max((fact.version for fact in whole), default=None)
    return [fact for fact in whole if fact.version == highest]


def _with_amendments(counting: list[Fact], versions: Collection[Fact]) -> list[Fact]:
    """The facts of a version, and the amendments above it."""
    return counting + [
        fact for fact in versions if fact.amends and (not counting or fact.version > counting[0].version)
    ]


def _decided(fact: Fact) -> set[tuple[str, str]]:
    return {(fact.body[side][0], fact.body[side][1]) for side in ("one", "other")}
