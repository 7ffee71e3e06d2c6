"""Fuzzes APIS from bytes to events, with coverage as the guide: no part of the suite, run it by hand.

pip install atheris; PYTHONPATH=tests:. python tests/fuzz/edifact.py -max_total_time=120 [DIRECTORY OF A CORPUS]
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports(include=["adapters.formats", "adapters.systems.apis"]):
    from adapters.formats import edifact, paxlst  # noqa: F401
    from adapters.systems.apis import adapter  # noqa: F401

from contracts.adapters.test_adapters import judge
from systems.cases import HERE

from adapters.decode import decode_file
from adapters.registry import systems

APIS = systems()["APIS"]


def one(data: bytes) -> None:
    """The laws that hold for any bytes; a violation is an uncaught AssertionError."""
    results = list(decode_file(APIS, data))
    judge(results)
    assert b"".join(result.read.raw for result in results) == data, "bytes that nobody accounts for, or out of order"


def main() -> None:
    """Begin with the cases."""
    with TemporaryDirectory() as seeds:
        for path in (HERE / "apis").glob("*/input.edi"):
            (Path(seeds) / path.parent.name).write_bytes(path.read_bytes())
        own = any(not argument.startswith("-") for argument in sys.argv[1:])
        atheris.Setup(sys.argv if own else [*sys.argv, seeds], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
