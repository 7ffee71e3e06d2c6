"""Fuzzes SEVIS with libFuzzer's mutations, from its cases: whatever the bytes are, events or refusals.

Needs `pip install atheris`, which is no part of the tests. With the seeds in a directory of their own:

PYTHONPATH=tests:. python tests/fuzz/sevis_xml.py --seeds var/fuzz/sevis
PYTHONPATH=tests:. python tests/fuzz/sevis_xml.py var/fuzz/sevis -max_total_time=120 -max_len=20000
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["adapters", "zipfile"]):
    from contracts.adapters.test_adapters import judge
    from systems.build_sevis import sevis

    from adapters.decode import decode_file
    from adapters.registry import systems

SEVIS = systems()["SEVIS"]


def one(data: bytes) -> None:
    """The laws that hold whatever was read; every byte of a bare document in one read."""
    results = list(decode_file(SEVIS, data))
    judge(results)
    if not data.startswith(b"PK"):
        assert b"".join(result.read.raw for result in results) == data, "bytes that nobody accounts for"


def seeds(folder: Path) -> None:
    """The cases as files, the long ones left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in sevis().items():
        if len(data) < 20_000:
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--seeds"]:
        seeds(Path(sys.argv[2]))
    else:
        atheris.Setup(sys.argv, one)
        atheris.Fuzz()
