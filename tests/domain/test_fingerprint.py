"""One configuration has one fingerprint in every process; another weight or table has another one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from services.domain import caps, names, rules, scoring
from services.domain.fingerprint import fingerprint


def test_it_is_the_same_in_every_process() -> None:
    """Sets and dictionaries of enums have another order in each."""
    ask = "from services.domain.fingerprint import fingerprint; print(fingerprint())"
    reported = {
        subprocess.run(
            [sys.executable, "-c", ask],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in (1, 2)
    }
    assert reported == {fingerprint()}


@pytest.mark.parametrize("name", sorted(name for name, value in vars(scoring).items() if isinstance(value, float)))
def test_a_weight_makes_another(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()
    monkeypatch.setattr(scoring, name, getattr(scoring, name) + 0.1)
    assert fingerprint() != before


def test_a_cap_and_a_name_make_another(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()
    monkeypatch.setattr(caps, "CAP", 65)
    with_cap = fingerprint()
    monkeypatch.setitem(names.DATA, "placeholders", "FNU")
    assert len({before, with_cap, fingerprint()}) == 3


def test_whose_word_counts_makes_another(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()
    monkeypatch.setattr(rules, "AUTHORITY", rules.AUTHORITY[::-1])
    turned = fingerprint()
    monkeypatch.setattr(rules, "ONE_ARRIVAL", 3600)
    assert len({before, turned, fingerprint()}) == 3
