"""Fuzzes every format from bytes to events, with coverage as the guide. No part of the suite: `make fuzz SECONDS=600`.

Needs `atheris`. Each target begins with the cases of its system and files of the simulator, and goes on with what it
found before (`var/fuzz/TARGET/found`); an input that breaks a law is left in `var/fuzz/TARGET`, and the end of this is
an error.
One target alone: `PYTHONPATH=tests:. python tests/fuzz/run.py TARGET SECONDS`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["adapters", "zipfile"]):
    from adapters.decode import Decoded, decode_file
    from adapters.formats.layout import Layout, Undecodable
    from adapters.registry import systems

    SYSTEMS = systems()  # here they are imported

from contracts.adapters.test_adapters import judge
from contracts.adapters.test_short_ways import reads, the_long_way
from formats.copybook.test_copybook import ORDER
from systems.cases import cases

from services.cli.children import VISABUS

PLACE = Path("var/fuzz")
LIMITS = ("-timeout=20", "-rss_limit_mb=700", "-print_final_stats=1")
"""Seconds for one input and memory for the process: Python, the interfaces' code and the corpus need about 300 MB."""
LONGEST = 20_000
"""Bytes of an input. What needs more of them is in the tests of bounded memory."""
PACKED, DATABASE = b"PK", b"SQLite format 3\0"
_LAYOUT = Layout.of(ORDER)


def simulated(system: str) -> dict[str, bytes]:
    """The largest files of a system in a small population with mistakes, which is written once."""
    folder = PLACE / "population"
    if not folder.exists():
        subprocess.run(
            [VISABUS, "simulate", folder, "--persons", "20", "--noise", "1"], check=True, stdout=subprocess.DEVNULL
        )
    paths = [*folder.glob(f"{system}/*"), *folder.glob(f"{system}.*")]
    return {path.name: path.read_bytes() for path in sorted(paths, key=lambda path: -path.stat().st_size)[:40]}


@dataclass(frozen=True)
class Target:
    """`whole`: every byte of an input has to be in what was read of it, in order. `takes`: what to begin with."""

    system: str
    whole: bool = True
    takes: Callable[[bytes], bool] = lambda data: not data.startswith(PACKED)

    def seeds(self) -> dict[str, bytes]:
        """The system's cases and simulated files that are the target's own and short enough."""
        own = {case.folder.name: case.input() for case in cases() if case.folder.parent.name == self.system.lower()}
        found = own | simulated(self.system.lower())
        return {name: data for name, data in found.items() if len(data) <= LONGEST and self.takes(data)}

    def laws(self, data: bytes) -> None:
        """What holds for any bytes; a violation is an uncaught error."""
        results = list(decode_file(SYSTEMS[self.system], data))
        judge(results)
        if self.whole and not data.startswith(PACKED):
            told = b"".join(result.read.raw for result in self.ordered(results))
            assert told == data, "bytes that nobody accounts for"

    def ordered(self, results: list[Decoded]) -> list[Decoded]:
        """As they stand in the input."""
        return results


class Copybook(Target):
    """The night file, whose trailer is told last of all, and a layout with everything that a copybook can describe."""

    def ordered(self, results: list[Decoded]) -> list[Decoded]:
        return sorted(results, key=lambda result: int(result.read.place.rpartition(" ")[2]))

    def laws(self, data: bytes) -> None:
        super().laws(data)
        try:
            said = _LAYOUT.decode(data)
        except Undecodable:
            return
        assert _LAYOUT.decode(_LAYOUT.encode(said)) == said


class Document(Target):
    """A batch, which says the same by the short way and by the long one."""

    def laws(self, data: bytes) -> None:
        super().laws(data)
        assert reads(data) == the_long_way(data)


TARGETS = {
    "edifact": Target("APIS"),
    "copybook": Copybook("I94"),
    "xml-batch": Document("SEVIS"),
    "zip": Target("SEVIS", takes=lambda data: data.startswith(PACKED)),
    "xml-message": Target("IDENT"),
    "csv": Target("CLAIMS3", whole=False, takes=lambda data: not data.startswith(DATABASE)),
    "database": Target("CLAIMS3", whole=False, takes=lambda data: data.startswith(DATABASE)),
}


def fuzz(name: str, seconds: int) -> None:
    """One target in this process. Does not return."""
    target, place = TARGETS[name], PLACE / name
    found, seeds = place / "found", place / "seeds"
    for folder in (found, seeds):
        folder.mkdir(parents=True, exist_ok=True)
    for case, data in target.seeds().items():
        (seeds / case).write_bytes(data)
    bounds = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-artifact_prefix={place}/", *LIMITS]
    atheris.Setup([sys.argv[0], str(found), str(seeds), *bounds], target.laws)
    atheris.Fuzz()


def main() -> None:
    """One target, or one after another, each in a process of its own."""
    *names, seconds = sys.argv[1:]
    if names:
        fuzz(names[0], int(seconds))
    failed = [name for name in TARGETS if subprocess.run([sys.executable, __file__, name, seconds]).returncode]
    if failed:
        sys.exit(f"broken laws, see {PLACE}: {', '.join(failed)}")


if __name__ == "__main__":
    main()
