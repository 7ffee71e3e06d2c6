"""Ends by notice: designations and programs that the government ended before the date on the person's own papers.

A notice names a day. Courts may hold it; then the day counts on which the last order against it fell, and whoever had
papers up to the day of the notice was protected until then. A row is chosen by citizenship, or by the program's name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

LOOKED_AT = date(2026, 11, 29)


@dataclass(frozen=True, slots=True)
class Notice:
    """`noticed`: the last day by the notice; `ended`: the last day as the courts left it.

    `citizenship` chooses by the person, `programs` by what the fact or the class of admission says; a row that names
    both needs either. `carries`: papers that were given while courts held it end with it, too; else those of the day of
    the notice alone. `spared`: papers up to this day, given by `spared_by`, stay good.
    """

    id: str
    fact: str
    noticed: date
    ended: date
    citation: str
    citizenship: frozenset[str] = frozenset()
    programs: frozenset[str] = frozenset()
    carries: bool = False
    spared: date | None = None
    spared_by: date | None = None
    looked_at: date = LOOKED_AT

    def end_of(self, stated: date | None, given: date) -> date | None:
        """The last day for papers that state one (None: no end); None where the notice changes nothing."""
        last = self.noticed if self.carries else self.ended
        if given > (self.ended if self.carries else self.noticed) or (stated is not None and stated < last):
            return None
        if self.spared is not None and self.spared_by is not None and given <= self.spared_by and stated == self.spared:
            return None
        return self.ended


def _tps(code: str, noticed: date, ended: date, citation: str) -> Notice:
    return Notice(f"tps-{code.lower()}", "tps", noticed, ended, citation, frozenset({code}), carries=True)


NOTICES: tuple[Notice, ...] = (
    _tps("AFG", date(2025, 7, 14), date(2025, 7, 14), "90 FR 20309"),
    _tps("CMR", date(2025, 8, 4), date(2025, 8, 4), "90 FR 23697"),
    # vacated by N.D. Cal. on 31 December 2025, the vacatur stayed on 9 February 2026: the notices hold
    _tps("NPL", date(2025, 8, 5), date(2025, 8, 20), "90 FR 24151; National TPS Alliance v. Noem, 9th Cir. 26-199"),
    _tps("HND", date(2025, 9, 8), date(2025, 9, 8), "90 FR 30089; National TPS Alliance v. Noem, 9th Cir. 26-199"),
    _tps("NIC", date(2025, 9, 8), date(2025, 9, 8), "90 FR 30086; National TPS Alliance v. Noem, 9th Cir. 26-199"),
    Notice(
        # the designation of 2023 ended before; documents given by 5 February 2025 stay good up to 2 October 2026
        "tps-ven",
        "tps",
        date(2025, 11, 7),
        date(2025, 11, 7),
        "90 FR 43225, 90 FR 9040; Noem v. National TPS Alliance, No. 25A326 (U.S. Oct. 3, 2025)",
        frozenset({"VEN"}),
        carries=True,
        spared=date(2026, 10, 2),
        spared_by=date(2025, 2, 5),
    ),
    _tps("SYR", date(2025, 11, 21), date(2026, 7, 27), "90 FR 45398; Mullin v. Doe, No. 25-1083 (U.S. June 25, 2026)"),
    _tps("SSD", date(2026, 1, 5), date(2026, 8, 7), "90 FR 50484; African Communities Together v. Noem, 25-cv-13939"),
    _tps("MMR", date(2026, 1, 26), date(2026, 8, 7), "90 FR 53378; Aung Doe v. Noem, 25-cv-15483 (N.D. Ill.)"),
    _tps("HTI", date(2026, 2, 3), date(2026, 7, 27), "90 FR 54733; Trump v. Miot, No. 25-1084 (U.S. June 25, 2026)"),
    _tps("ETH", date(2026, 2, 13), date(2026, 8, 18), "90 FR 58028; African Communities Together v. Noem, 26-cv-10278"),
    _tps("SOM", date(2026, 3, 17), date(2026, 8, 14), "91 FR 1547; African Communities Together v. Noem, 26-cv-11201"),
    _tps("YEM", date(2026, 5, 4), date(2026, 7, 20), "91 FR 10402; Doe v. Noem, 26-cv-02103 (S.D.N.Y.)"),
    Notice(
        # stayed by D. Mass. on 14 April 2025 (Doe v. Noem, 25-cv-10495), the stay lifted on 30 May 2025
        "parole-chnv",
        "parole",
        date(2025, 4, 24),
        date(2025, 5, 30),
        "90 FR 13611; Noem v. Doe, No. 24A1079 (U.S. May 30, 2025)",
        programs=frozenset({"CHNV", "CHP", "HHP", "NHP", "VHP"}),
    ),
)
"""Looked at in copies of September 2026. Not covered: El Salvador, Sudan and Ukraine, for which there is no notice in
the Federal Register (the day that the person's papers state counts); family reunification parole, whose end a court
holds (1st Cir. 26-1314); parole under the CHNV processes in class PAR, where no record names the program."""


def notice_for(fact: str, program: str, citizenship: Iterable[str]) -> Notice | None:
    """The notice that ends a status, chosen by its program or by the person's citizenship; None where none does."""
    states = frozenset(citizenship)
    for row in NOTICES:
        if row.fact == fact and (program in row.programs or states & row.citizenship):
            return row
    return None
