"""What an address says behind its question mark: each option once, known by name, none left out in silence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from links.reasons import Failure, Reason, Unusable


def once(query: Mapping[str, str | Sequence[str]], several: Iterable[str] = ()) -> dict[str, str]:
    """Return the options that are said once; those in `several` are left out. Raises Unusable."""
    allowed = frozenset(several)
    twice = sorted(name for name, value in query.items() if not isinstance(value, str) and name not in allowed)
    if twice:
        raise refused(f"the address says {', '.join(twice)} twice")
    return {name: value for name, value in query.items() if isinstance(value, str)}


def known(options: Iterable[str], names: Iterable[str], what: str) -> None:
    """Raises Unusable for an option that nothing here understands."""
    allowed = frozenset(names)
    if unknown := sorted(name for name in options if name not in allowed):
        raise refused(
            f"no option of an address of {what}: {', '.join(unknown)}; known are {', '.join(sorted(allowed))}"
        )


def whole_number(name: str, value: str) -> int:
    """Return a number of seconds or the like. Raises Unusable."""
    if not value.isdecimal():
        raise refused(f"{name} is a whole number")
    return int(value)


def refused(words: str) -> Unusable:
    """An address or settings that do not hold together."""
    return Unusable(Failure(Reason.SETTINGS, words))
