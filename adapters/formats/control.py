"""Control totals: what the end of a file says of the records before it, compared with what was read.

For fixed, positional and delimited files alike: a format adds every detail as it is read and compares at the trailer.
A number may come as an int, a Decimal or, in a delimited file, as its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Fields = Mapping[str, Any]
Number = int | Decimal
_NUMBER = re.compile(r"[+-]?[0-9]{1,31}(?:\.[0-9]{1,31})?")


@dataclass(frozen=True, slots=True)
class Control:
    """One total, in `field` of the trailer: the number of details, or the sum of a field `of` them.

    `where` limits it to the details in which a field has a value; with `modulo` only the remainder is told.
    """

    field: str
    of: str | None = None
    where: tuple[str, str] | None = None
    modulo: int | None = None

    @property
    def counts_all(self) -> bool:
        """Whether it is the number of all details."""
        return self.of is None and self.where is None

    def amount(self, detail: Fields) -> Number | None:
        """What one detail adds. None if its field cannot be read, so that the total cannot be compared."""
        if self.where is not None and detail.get(self.where[0]) != self.where[1]:
            return 0
        return 1 if self.of is None else number(detail.get(self.of))


@dataclass(slots=True)
class Totals:
    """The totals of a file half read. `same` names a field of the header and the one of the trailer that repeats it."""

    controls: tuple[Control, ...]
    same: tuple[str, str] | None = None
    _sums: dict[str, Number] = field(default_factory=dict)
    _unread: set[str] = field(default_factory=set)

    def add(self, detail: Fields) -> None:
        """Count one detail, one that is refused too: its sender has counted it."""
        for control in self.controls:
            amount = control.amount(detail)
            if amount is None:
                self._unread.add(control.field)
            else:
                self._sums[control.field] = self._sums.get(control.field, 0) + amount

    def disagreements(self, header: Fields, trailer: Fields, behind: int = 0) -> Iterator[str]:
        """What of the trailer is not so, in words; nothing if all agrees. `behind` records stand behind the trailer."""
        if self.same is not None:
            mine, its = self.same
            if header.get(mine) != trailer.get(its):
                yield f"{its} is {trailer.get(its)}, {mine} of the header is {header.get(mine)}"
        if behind:
            yield f"{behind} records behind the trailer"
        for control in self.controls:
            total = self._sums.get(control.field, 0)
            if control.modulo is not None:
                total %= control.modulo
            stated = trailer.get(control.field)
            if number(stated) != total:
                yield f"the trailer says {control.field} {stated}, the file has {total}"
            elif control.field in self._unread:
                yield f"{control.field} cannot be compared: {control.of} of some records cannot be read"


def number(value: object) -> Number | None:
    """The number that a value is or spells; None if it is none."""
    if isinstance(value, str):
        text = value.strip()
        if not text.isascii() or not _NUMBER.fullmatch(text):
            return None
        return Decimal(text) if "." in text else int(text)
    return value if isinstance(value, int | Decimal) else None
