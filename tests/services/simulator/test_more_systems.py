"""The files of APIS, SEVIS and IDENT, read by readers of the test's own and held against the schemas and the truth."""

from __future__ import annotations

import hashlib
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

from services.simulator import CLEAN, Truth, addresses, simulate, sources
from services.simulator.systems.apis import queue

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
SEVIS = "{urn:visabus:sevis:batch:1}"
IDENT = "{urn:visabus:ident:1}"
NC = "{http://release.niem.gov/niem/niem-core/5.0/}"
LENGTH = 250
SYSTEMS = tuple(sources())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    directory = tmp_path_factory.mktemp("simulation") / "run"
    return directory, simulate(directory, persons=1_500, seed=11, systems=SYSTEMS)


@dataclass(frozen=True)
class Told:
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


def travellers(path: Path) -> Iterator[Told]:
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
            said = dict(each[1].split(":") for each in segments[start:stop] if each[0] == "RFF")
            tail = f"ABO/{said['ABO']}" if "ABO" in said else f"AVF/{said['AVF']}/{family}/{' '.join(given)}"
            origin = places[0][2]
            yield Told(
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
def manifests(run: tuple[Path, Truth]) -> list[Told]:
    return [told for path in sorted((run[0] / "apis").glob("*.edi")) for told in travellers(path)]


def of(truth: Truth, system: str) -> tuple[set[str], set[str]]:
    """Records of the truth, and those taken back."""
    persons = list(truth.persons())
    true = {each.record for person in persons for each in person.records if each.system == system}
    gone = {record for person in persons for name, record in person.retracted if name == system}
    return true, gone


def test_manifests_are_what_is_counted_and_true(run: tuple[Path, Truth], manifests: list[Told]) -> None:
    directory, truth = run
    counts = truth.counts["systems"]["APIS"]
    domestic = [told for told in manifests if (told.origin, told.destination) == ("DEN", "ORD")]
    kinds = Counter((told.kind, told.function) for told in manifests)
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
    last = {told.key: told for told in sorted(manifests, key=lambda told: told.prepared) if told not in domestic}
    true, gone = of(truth, "APIS")
    assert gone == {key for key, told in last.items() if told.function in ("CLNB", "XR")}
    assert true == last.keys() - gone


def test_messages_for_a_queue_are_the_interchanges_of_the_files(run: tuple[Path, Truth]) -> None:
    files = sorted((run[0] / "apis").iterdir())
    parts = [list(queue.interchanges(path)) for path in files]
    assert [b"".join(part) for part in parts] == [path.read_bytes() for path in files]
    assert sum(map(len, parts)) == run[1].counts["systems"]["APIS"]["interchanges"]


def test_copies_are_told_again_by_a_partner_and_are_true(tmp_path: Path) -> None:
    """The same crossing under another flight, behind the departure; counted like all that is told, and one stay."""
    copied = replace(CLEAN, copies=1.0)
    truth = simulate(tmp_path / "run", persons=300, seed=11, systems=SYSTEMS, noise=copied)
    plain = simulate(tmp_path / "plain", persons=300, seed=11, systems=SYSTEMS)
    told = [one for path in sorted((tmp_path / "run" / "apis").glob("*.edi")) for one in travellers(path)]
    crossing = [one for one in told if (one.origin, one.destination) != ("DEN", "ORD")]
    counts = truth.counts["systems"]["APIS"]
    assert (counts["read"], counts["published"]) == (len(told), len(crossing))
    true, gone = of(truth, "APIS")
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


def test_a_no_show_stands_beside_others_of_the_flight(manifests: list[Told]) -> None:
    flights: dict[tuple[str, str, str], set[str]] = {}
    for told in manifests:
        flights.setdefault((told.conveyance, told.departs, told.origin), set()).add(told.function)
    assert sum({"CLOB", "CLNB"} <= functions for functions in flights.values()) > 20


def departures(directory: Path) -> dict[tuple[str, str, str], set[str]]:
    """I-94's departures by air of which the time is known: conveyance, date, port -> local minutes."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for path in (directory / "i94").iterdir():
        data = path.read_bytes().decode("cp037")
        for at in range(LENGTH, len(data) - LENGTH, LENGTH):
            detail = data[at : at + LENGTH]
            if detail[1] == "D" and detail[153] == "A" and detail[175:181] != "999999":
                key = (detail[157:167].strip(), detail[167:175], detail[150:153])
                found.setdefault(key, set()).add(detail[175:179])
    return found


def test_one_crossing_has_one_local_minute_and_some_are_told_by_one_alone(
    run: tuple[Path, Truth], manifests: list[Told]
) -> None:
    directory, truth = run
    by_i94 = departures(directory)
    aboard = [told for told in manifests if told.function == "CLOB" and told.destination in ABROAD]
    both = [told for told in aboard if (told.conveyance, f"20{told.departs[:6]}", told.origin) in by_i94]
    for told in both:
        assert told.departs[6:] in by_i94[told.conveyance, f"20{told.departs[:6]}", told.origin]
    assert len(both) > 300
    assert len(aboard) - len(both) > 100  # told by APIS alone
    left = sum(truth.counts["outcomes"][name] for name in ("DEPARTED_IN_TIME", "DEPARTED_LATE"))
    alone = left - truth.counts["systems"]["I94"]["departures"]
    assert alone > len(aboard) - len(both) + 50  # the others: by IDENT alone


ABROAD = {
    *("LHR", "FRA", "AMS", "MUC", "CDG", "NRT", "HND", "SYD"),
    *("DXB", "MEX", "BOG", "SCL", "MAD", "SIN"),
}


def batches(directory: Path) -> Iterator[etree._Element]:
    schema = etree.XMLSchema(etree.parse(ROOT / "adapters/systems/sevis/batch.xsd"))
    for path in sorted((directory / "sevis").iterdir()):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                root = etree.fromstring(archive.read(name))
                schema.assertValid(root)
                yield root


def test_batches_fit_the_schema_and_are_what_is_counted_and_true(run: tuple[Path, Truth]) -> None:
    directory, truth = run
    last: dict[str, str] = {}
    kinds: Counter[str] = Counter()
    actions: Counter[str] = Counter()
    filtered = 0
    stretches = []
    for sequence, root in enumerate(batches(directory), start=1):
        header, *records = root
        assert int(header.findtext(f"{SEVIS}BatchSequence") or "") == sequence
        assert int(header.findtext(f"{SEVIS}RecordCount") or "") == len(records)
        coverage = header.find(f"{SEVIS}Coverage")
        if coverage is not None:
            stretches.append((coverage[0].text, coverage[1].text))
        for record in records:
            kind = etree.QName(record[0]).localname if "Update" in record.tag else "Create"
            code = record.findtext(f"{SEVIS}Result/{SEVIS}ResultCode")
            left_out = kind == "Administrative" or code != "S0000"
            filtered += left_out
            kinds[kind] += not left_out
            actions[record.attrib["recordAction"]] += 1
            if not left_out:
                last[f"{record.attrib['sevisID']}/{record.attrib['requestID']}"] = record.attrib["recordAction"]
    assert all(before[1] == following[0] for before, following in pairwise(stretches))
    assert stretches[-1][1] == truth.records_end.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert kinds.keys() >= {"Create", "Registration", "ProgramExtension", "EducationLevel", "OPTEmployment"}
    assert kinds.keys() >= {
        "CapGapExtension",
        "Complete",
        "Terminate",
        "Reactivate",
        "AcademicTraining",
        "PersonalInfo",
    }
    assert truth.counts["systems"]["SEVIS"] == {
        "files": len(list((directory / "sevis").iterdir())),
        "read": sum(actions.values()),
        "published": sum(actions.values()) - filtered,
        "filtered": filtered,
        "corrections": actions["C"],
        "deletions": actions["D"],
        "coverage": len(stretches),
    }
    true, gone = of(truth, "SEVIS")
    assert gone == {key for key, action in last.items() if action == "D"}
    assert true == last.keys() - gone
    assert gone
    assert actions["C"] > 10


def test_encounters_fit_the_schema_and_are_what_is_counted_and_true(run: tuple[Path, Truth]) -> None:
    directory, truth = run
    schema = etree.XMLSchema(etree.parse(ROOT / "adapters/systems/ident/encounters.xsd"))
    newest: dict[str, tuple[int, str, str]] = {}
    told: Counter[str] = Counter()
    messages = sorted((directory / "ident").iterdir())
    for path in messages:
        root = etree.fromstring(path.read_bytes())
        schema.assertValid(root)
        assert len(root) <= 1_000
        for each in root:
            key = each.findtext(f"{IDENT}EncounterIdentification/{NC}IdentificationID") or ""
            version = int(each.findtext(f"{IDENT}EncounterVersionNumeric") or "")
            action = each.findtext(f"{IDENT}EncounterActionCode") or ""
            match = each.findtext(f"{IDENT}EncounterMatchCode") or ""
            category = each.findtext(f"{IDENT}EncounterCategoryCode") or ""
            told.update(("read", action, match, category))
            told["exits"] += (category, match, action) == ("EXIT", "MATCHED", "N")
            newest[key] = max(newest.get(key, (0, "", "")), (version, action, match))
    assert truth.counts["systems"]["IDENT"] == {
        "messages": len(messages),
        "read": told["read"],
        "published": told["read"] - told["NOT-MATCHED"],
        "filtered": told["NOT-MATCHED"],
        "exits": told["exits"],
        "corrections": told["C"],
        "deletions": told["D"],
    }
    assert min(told[name] for name in ("ENTRY", "EXIT", "ENROLMENT", "NOT-MATCHED", "D")) > 30
    assert min(told[name] for name in ("MERGE", "C")) > 3
    true, gone = of(truth, "IDENT")
    assert gone == {key for key, (_, action, _) in newest.items() if action == "D"}
    assert true == {key for key, (_, action, match) in newest.items() if action != "D" and match != "NOT-MATCHED"}


def test_no_system_is_without_records(run: tuple[Path, Truth]) -> None:
    directory, truth = run
    systems = truth.counts["systems"]
    assert tuple(systems) == SYSTEMS
    assert all(told["read"] > 300 for told in systems.values())
    feeds = ["APIS.files", "CLAIMS3.actions", "I94.nightly", "SEVIS.batches"]  # IDENT pushes
    assert list(addresses(directory)) == feeds


def digest(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_equal_seeds_write_equal_bytes_also_where_memory_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate(tmp_path / "one", persons=80, seed=5, years=1, systems=SYSTEMS)
    simulate(tmp_path / "other", persons=80, seed=6, years=1, systems=SYSTEMS)
    monkeypatch.setattr("services.simulator.spill_buffer.LIMIT", 3_000)
    simulate(tmp_path / "two", persons=80, seed=5, years=1, systems=SYSTEMS)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    assert digest(tmp_path / "one") != digest(tmp_path / "other")


def test_what_is_not_asked_for_is_not_written(tmp_path: Path) -> None:
    truth = simulate(tmp_path / "run", persons=50, years=1)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"i94", "claims3.db", "truth"}
    assert not any(kind.startswith("student") for kind in truth.counts["kinds"])
    for systems in (("APIS",), (*SYSTEMS, "ELSE")):
        with pytest.raises(ValueError, match="systems"):
            simulate(tmp_path / "none", persons=1, systems=systems)
