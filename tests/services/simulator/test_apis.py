"""The manifests of APIS, read by a reader of the test's own and held against the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest
from simulated import records_of

from services.simulator import CLEAN, Truth, simulate, sources
from services.simulator.systems.apis import queue

pytestmark = pytest.mark.slow

LENGTH = 250
SYSTEMS = tuple(sources())


@dataclass(frozen=True)
class Listed:
    """A traveller of a manifest, with the flight and what the message says of him."""

    prepared: str
    kind: str
    function: str
    conveyance: str
    origin: str
    destination: str
    departs: str
    key: str


def interchanges(path: Path) -> Iterator[list[list[str]]]:
    """Segments by interchange, elements split at the plus. No value of the population needs a release."""
    text = path.read_text(encoding="ascii").replace("\n", "")
    assert "?" not in text.replace("UNA:+.? '", "")
    for part in text.split("UNA:+.? '")[1:]:
        segments = [segment.split("+") for segment in part.split("'")[:-1]]
        assert segments[0][0] == "UNB"
        assert segments[-1][0] == "UNZ"
        assert segments[-1][2] == segments[0][5]
        yield segments


def travellers(path: Path) -> Iterator[Listed]:
    for segments in interchanges(path):
        begin = next(index for index, segment in enumerate(segments) if segment[0] == "UNH")
        end = next(index for index, segment in enumerate(segments) if segment[0] == "UNT")
        assert segments[end][1] == str(end - begin + 1)
        head = {f"{each[0]}+{each[1].split(':')[0]}": each for each in segments if each[0] in ("TDT", "LOC", "DTM")}
        flight = head["TDT+20"][2]
        conveyance = f"{flight[:2]}{flight[2:]:0>4}"
        (bgm,) = (each for each in segments if each[0] == "BGM")
        departs = head["DTM+189"][1].split(":")[1]
        places = [each for each in segments if each[0] == "LOC"]
        starts = [index for index, each in enumerate(segments) if each[:2] == ["NAD", "FL"]]
        ends = [*starts[1:], next(index for index, each in enumerate(segments) if each[0] == "CNT")]
        assert segments[ends[-1]][1] == f"42:{len(starts)}"
        for start, stop in zip(starts, ends, strict=True):
            family, *given = segments[start][4].split(":")
            references = dict(each[1].split(":") for each in segments[start:stop] if each[0] == "RFF")
            papers = [
                (segment[1][0], segment[2], issuer[2])
                for segment, issuer in pairwise(segments[start:stop])
                if segment[0] == "DOC" and issuer[:2] == ["LOC", "91"]
            ]
            (born,) = (each[1].split(":")[1] for each in segments[start:stop] if each[:1] == ["DTM"])
            birth = "-".join(part for part in (born[:4], born[4:6], born[6:]) if part != "00")
            if "ABO" in references:
                tail = f"ABO/{references['ABO']}"
            elif papers:
                kind, number, issuer = papers[0]
                tail = f"{kind}/{'DEU' if issuer == 'D' else issuer}/{number}"
            else:
                tail = f"AVF/{references['AVF']}/{family}/{' '.join(given)}/{birth}"
            origin = places[0][2]
            yield Listed(
                segments[0][4],
                bgm[1],
                bgm[2] if len(bgm) > 2 else "",
                conveyance,
                origin,
                places[1][2],
                departs,
                f"{conveyance} 20{departs[:6]} {origin} {tail}",
            )


@pytest.fixture(scope="module")
def manifests(written: tuple[Path, Truth]) -> list[Listed]:
    return [entry for path in sorted((written[0] / "apis").glob("*.edi")) for entry in travellers(path)]


def test_manifests_are_what_is_counted_and_true(written: tuple[Path, Truth], manifests: list[Listed]) -> None:
    directory, truth = written
    counts = truth.counts["systems"]["APIS"]
    domestic = [entry for entry in manifests if (entry.origin, entry.destination) == ("DEN", "ORD")]
    kinds = Counter((entry.kind, entry.function) for entry in manifests)
    assert counts == {
        "files": len(list((directory / "apis").iterdir())),
        "interchanges": sum(len(list(interchanges(path))) for path in (directory / "apis").iterdir()),
        "read": len(manifests),
        "published": len(manifests) - len(domestic),
        "filtered": len(domestic),
        "closed": kinds["266", "CLOB"],
        "taken_back": kinds["266", "CLNB"] + kinds["745", "XR"],
    }
    assert kinds.keys() == {("745", ""), ("745", "CP"), ("745", "XR"), ("266", "CLOB"), ("266", "CLNB")}
    assert min(kinds.values()) > 20
    last = {entry.key: entry for entry in sorted(manifests, key=lambda entry: entry.prepared) if entry not in domestic}
    true, gone = records_of(truth, "APIS")
    assert gone == {key for key, entry in last.items() if entry.function in ("CLNB", "XR")}
    assert true == last.keys() - gone


def test_messages_for_a_queue_are_the_interchanges_of_the_files(written: tuple[Path, Truth]) -> None:
    files = sorted((written[0] / "apis").iterdir())
    parts = [list(queue.interchanges(path)) for path in files]
    assert [b"".join(part) for part in parts] == [path.read_bytes() for path in files]
    assert sum(map(len, parts)) == written[1].counts["systems"]["APIS"]["interchanges"]


def test_copies_are_told_again_by_a_partner_and_are_true(tmp_path: Path) -> None:
    """The same crossing under another flight, behind the departure; counted like all that is told, and one stay."""
    copied = replace(CLEAN, copies=1.0)
    truth = simulate(tmp_path / "run", persons=300, seed=11, systems=SYSTEMS, noise=copied)
    plain = simulate(tmp_path / "plain", persons=300, seed=11, systems=SYSTEMS)
    entry = [one for path in sorted((tmp_path / "run" / "apis").glob("*.edi")) for one in travellers(path)]
    crossing = [one for one in entry if (one.origin, one.destination) != ("DEN", "ORD")]
    counts = truth.counts["systems"]["APIS"]
    assert (counts["read"], counts["published"]) == (len(entry), len(crossing))
    true, gone = records_of(truth, "APIS")
    assert true | gone == {one.key for one in crossing}
    by_key = {one.key: one for one in crossing}
    copies, lags = 0, set()
    for person in truth.persons():
        mine = [(by_key[each.record], "copies" in each.noise) for each in person.records if each.system == "APIS"]
        flights = {(one.departs, one.origin, one.destination): one for one, copy in mine if not copy}
        for copy in (one for one, again in mine if again):
            original = flights[copy.departs, copy.origin, copy.destination]
            assert copy.conveyance[:2] != original.conveyance[:2]
            assert (copy.kind, copy.function) in (("266", "CLOB"), ("745", ""))
            lags.add(copy.prepared[:6] != original.prepared[:6])
            copies += 1
    assert copies == truth.counts["noise"]["injected"]["copies"] > 200
    assert lags == {True, False}  # some within a day, some later
    assert truth.counts["stays"] == plain.counts["stays"]
    assert truth.counts["outcomes"] == plain.counts["outcomes"]
    for system in ("I94", "CLAIMS3", "SEVIS", "IDENT"):
        assert truth.counts["systems"][system] == plain.counts["systems"][system]


def test_a_no_show_stands_beside_others_of_the_flight(manifests: list[Listed]) -> None:
    flights: dict[tuple[str, str, str], set[str]] = {}
    for entry in manifests:
        flights.setdefault((entry.conveyance, entry.departs, entry.origin), set()).add(entry.function)
    assert sum({"CLOB", "CLNB"} <= functions for functions in flights.values()) > 20


def departures(directory: Path) -> dict[tuple[str, str, str], set[str]]:
    """I-94's departures by air of which the time is known: conveyance, date, port -> local minutes."""
    minutes: dict[tuple[str, str, str], set[str]] = {}
    for path in (directory / "i94").iterdir():
        data = path.read_bytes().decode("cp037")
        for at in range(LENGTH, len(data) - LENGTH, LENGTH):
            detail = data[at : at + LENGTH]
            if detail[1] == "D" and detail[153] == "A" and detail[175:181] != "999999":
                key = (detail[157:167].strip(), detail[167:175], detail[150:153])
                minutes.setdefault(key, set()).add(detail[175:179])
    return minutes


def test_one_crossing_has_one_local_minute_and_some_are_told_by_one_alone(
    written: tuple[Path, Truth], manifests: list[Listed]
) -> None:
    directory, truth = written
    by_i94 = departures(directory)
    aboard = [entry for entry in manifests if entry.function == "CLOB" and entry.destination in ABROAD]
    both = [entry for entry in aboard if (entry.conveyance, f"20{entry.departs[:6]}", entry.origin) in by_i94]
    for entry in both:
        assert entry.departs[6:] in by_i94[entry.conveyance, f"20{entry.departs[:6]}", entry.origin]
    assert len(both) > 300
    assert len(aboard) - len(both) > 100  # told by APIS alone
    left = sum(truth.counts["outcomes"][name] for name in ("DEPARTED_IN_TIME", "DEPARTED_LATE"))
    alone = left - truth.counts["systems"]["I94"]["departures"]
    assert alone > len(aboard) - len(both) + 50  # the others: by IDENT alone


ABROAD = {
    *("LHR", "FRA", "AMS", "MUC", "CDG", "NRT", "HND", "SYD"),
    *("DXB", "MEX", "BOG", "SCL", "MAD", "SIN"),
}
