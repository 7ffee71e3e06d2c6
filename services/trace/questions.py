"""What can be asked about, read from what a person pastes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from schemas.identifiers import Identifier, Scheme


@dataclass(frozen=True, slots=True)
class ByRecord:
    """A record by its key in its system."""

    system: str
    record: str


@dataclass(frozen=True, slots=True)
class ByEvent:
    """An event by its id."""

    id: UUID


@dataclass(frozen=True, slots=True)
class ByIdentifier:
    """All records under a number."""

    identifier: Identifier


@dataclass(frozen=True, slots=True)
class ByFile:
    """A file, poll or message by its name."""

    batch: str


About = ByRecord | ByEvent | ByIdentifier | ByFile


def audited(about: About, asked: str) -> str:
    """Return by what the audit log knows what was asked about: as all look-ups name it, however it was spelt."""
    if isinstance(about, ByRecord):
        return f"record/{about.system}/{about.record}"
    if isinstance(about, ByIdentifier):
        return about.identifier.text
    return asked


def question_of(words: Sequence[str], systems: Collection[str]) -> About:
    """Read a question: SYSTEM KEY, an event id, scheme/issuer/value, scheme/value, or a file. Raises ValueError."""
    if len(words) == 2 and words[0].upper() in systems:
        return ByRecord(words[0].upper(), words[1])
    if len(words) != 1 or not words[0].strip():
        raise ValueError(
            "ask by SYSTEM KEY, an event id, scheme/issuer/value or the name of a file; "
            f"systems are {', '.join(sorted(systems))}"
        )
    text = words[0].strip()
    try:
        return ByEvent(UUID(text))
    except ValueError:
        pass
    scheme, _, rest = text.partition("/")
    if rest and scheme.lower() in {each.value for each in Scheme}:
        issuer, _, value = rest.rpartition("/")
        return ByIdentifier(_identifier(Scheme(scheme.lower()), issuer, value))
    system, _, record = text.partition(" ")
    if record and system.upper() in systems:  # pasted with its blank
        return ByRecord(system.upper(), record)
    return ByFile(text)


def _identifier(scheme: Scheme, issuer: str, value: str) -> Identifier:
    """Return the number as events have it, or as documents spell it, without the issuer where there is but one.

    Raises ValueError.
    """
    try:
        return Identifier(scheme=scheme, issuer=issuer, value=value)
    except ValueError:
        pass
    try:
        return Identifier.of(scheme, value, issuer)
    except ValueError:
        raise ValueError(
            f"that is no number of the scheme {scheme}; write scheme/issuer/value, such as passport/GBR/543456789, "
            "and without the issuer where the scheme has but one, such as i94/34459325217"
        ) from None
