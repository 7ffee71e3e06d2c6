"""A run: all systems have records, equal seeds write equal bytes, and nothing is written twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from simulated import digest

from services.simulator import Truth, addresses, simulate, sources

pytestmark = pytest.mark.slow

SYSTEMS = tuple(sources())


def test_no_system_is_without_records(written: tuple[Path, Truth]) -> None:
    directory, truth = written
    systems = truth.counts["systems"]
    assert tuple(systems) == SYSTEMS
    assert all(counts["read"] > 0 for counts in systems.values())
    assert {
        system for system, counts in systems.items() if not {"read", "published", "filtered"} <= counts.keys()
    } == set()
    feeds = addresses(directory)
    assert {"APIS.files", "CLAIMS3.actions", "I94.nightly", "SEVIS.batches"} <= feeds.keys()
    assert not any(name.startswith("IDENT.") for name in feeds), "it pushes"
    assert {name.partition(".")[0] for name in feeds} <= set(SYSTEMS)


def test_equal_seeds_write_equal_bytes_also_where_memory_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate(tmp_path / "one", persons=80, seed=5, years=1, systems=SYSTEMS)
    simulate(tmp_path / "other", persons=80, seed=6, years=1, systems=SYSTEMS)
    monkeypatch.setattr("services.simulator.spill_buffer.LIMIT", 3_000)
    simulate(tmp_path / "two", persons=80, seed=5, years=1, systems=SYSTEMS)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    assert digest(tmp_path / "one") != digest(tmp_path / "other")


def test_messages_of_two_populations_have_two_names(tmp_path: Path) -> None:
    """A door refuses a name that comes with another body: both populations may be pushed to one."""
    names = []
    for seed in (5, 6):
        simulate(tmp_path / str(seed), persons=60, seed=seed, years=1, systems=("CLAIMS3", "I94", "TVS"))
        messages = (tmp_path / str(seed)).rglob("TVS.*.json")
        names.append({json.loads(each.read_text())["messageId"] for each in messages})
    assert all(names)
    assert names[0].isdisjoint(names[1])


def test_what_is_not_asked_for_is_not_written(tmp_path: Path) -> None:
    truth = simulate(tmp_path / "run", persons=50, years=1)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"i94", "claims3.db", "truth"}
    assert not any(kind.startswith("student") for kind in truth.counts["kinds"])
    for systems in (("APIS",), (*SYSTEMS, "ELSE")):
        with pytest.raises(ValueError, match="systems"):
            simulate(tmp_path / "none", persons=1, systems=systems)


def test_equal_seeds_write_equal_bytes_and_others_do_not(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        simulate(tmp_path / name, persons=60, seed=seed, years=1)
    one, two, three = (digest(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    assert one.keys() == three.keys()
    assert one != three


def test_a_directory_is_written_once(tmp_path: Path) -> None:
    simulate(tmp_path, persons=1, years=1)
    with pytest.raises(ValueError, match="already"):
        simulate(tmp_path, persons=1, years=1)
