"""Hand-made hard pairs, some of each kind of mistake: what matching makes of them does no harm.

`cases/pairs.txt` says of each what an examiner would want and what is acceptable; it was written from the wording
of the kinds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from domain.pairs import Record, verdict

from services.domain import births, blocks, frequencies, identity, names, scoring

LINES = (Path(__file__).parent / "cases" / "pairs.txt").read_text("utf-8").splitlines()
JUDGED = {"j": "join", "p": "possible", "s": "separate"}


def _numbers(text: str, citizenship: str, seed: str) -> tuple[str, ...]:
    own = f"passport:{citizenship}:X{int(sha256(seed.encode()).hexdigest(), 16) % 10**7:07}"
    return tuple((own if each == "#" else each).replace(":", "/") for each in text.split(",") if each != "-")


def _record(text: str, seed: str) -> Record:
    family, given, birth, sex, citizenship, numbers = text.split("/")
    held = _numbers(numbers, citizenship or "GBR", seed)
    return Record(family, given, birth, sex, (citizenship,) if citizenship else (), held)


Pair = tuple[str, set[str], Record, Record]


def _pairs() -> dict[str, list[Pair]]:
    """By the first part of the kind: name, acceptable judgements, the two records."""
    pairs = defaultdict(list)
    for line in LINES:
        if line.startswith("#"):
            continue
        name, best, acceptable, one, other = (part.strip() for part in line.split(";"))
        judged = {JUDGED[letter] for letter in acceptable}
        assert JUDGED[best] in judged, name
        pairs[name.partition("-")[0]].append((name, judged, _record(one, name + "a"), _record(other, name + "b")))
    return pairs


PAIRS = _pairs()


@pytest.mark.parametrize("kind", PAIRS)
def test_a_pair_is_judged_so_that_it_does_no_harm(kind: str) -> None:
    wrong = {name: judged for name, good, one, other in PAIRS[kind] if (judged := verdict(one, other)) not in good}
    assert not wrong


@pytest.mark.parametrize("kind", PAIRS)
def test_a_pair_has_no_order(kind: str) -> None:
    assert not [name for name, _, one, other in PAIRS[kind] if verdict(one, other) != verdict(other, one)]


def _wrong(kind: str) -> set[str]:
    return {name for name, good, one, other in PAIRS[kind] if verdict(one, other) not in good}


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Nothing is remembered from before, and nothing of what a planted bug makes."""
    _forget()
    with monkeypatch.context() as planted:
        yield planted
    _forget()


def _forget() -> None:
    for module in (names, frequencies, blocks, scoring):
        for each in vars(module).values():
            if hasattr(each, "cache_clear"):
                each.cache_clear()


def test_a_letter_doubled_where_two_names_meet_is_caught(forgetful: pytest.MonkeyPatch) -> None:
    forgetful.setattr(blocks, "_of_field", lambda tokens: "".join(map(names.consonants, tokens)))
    assert _wrong("bl") == {"bl-kor"}


def test_syllables_of_given_names_taken_for_rare_ones_are_caught(forgetful: pytest.MonkeyPatch) -> None:
    forgetful.setitem(frequencies._BITS["given"], "KOR", {})
    forgetful.setattr(frequencies, "is_rare", lambda token, role, country: role == "given")
    forgetful.setattr(scoring, "is_rare", frequencies.is_rare)
    assert "cn-kor" in _wrong("cn")


def test_twins_whose_names_are_a_letter_apart_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_two_known", lambda mine, theirs: False)
    monkeypatch.setattr(scoring, "two_known", lambda mine, theirs: False)
    assert _wrong("tw2") == {"tw2-nopass-letter", "tw2-kor-nopass"}


def test_a_particle_written_to_a_common_name_that_makes_a_rare_one_is_caught(forgetful: pytest.MonkeyPatch) -> None:
    forgetful.setattr(frequencies, "PREFIXES", frozenset())
    assert "cn2-sau" in _wrong("cn2")


def test_parent_and_child_under_one_passport_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong digit of the year was looked for alone: a son born on another day went to his father."""
    monkeypatch.setattr(identity, "_parent_and_child", births.a_generation_apart)
    assert _wrong("fs") == {"fs-pass"}
