"""What several tests of the simulator do."""

from __future__ import annotations

import hashlib
from pathlib import Path

from services.simulator import Truth


def records_of(truth: Truth, system: str) -> tuple[set[str], set[str]]:
    """Records of the truth, and those taken back."""
    persons = list(truth.persons())
    true = {each.record for person in persons for each in person.records if each.system == system}
    gone = {record for person in persons for name, record in person.retracted if name == system}
    return true, gone


def digest(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
