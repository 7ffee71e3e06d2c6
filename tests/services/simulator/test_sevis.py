"""The batches of SEVIS, held against the schema and the truth."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree
from simulated import records_of

from services.simulator import Truth

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
SEVIS = "{urn:visabus:sevis:batch:1}"


def batches(directory: Path) -> Iterator[etree._Element]:
    schema = etree.XMLSchema(etree.parse(ROOT / "adapters/systems/sevis/batch.xsd"))
    for path in sorted((directory / "sevis").iterdir()):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                root = etree.fromstring(archive.read(name))
                schema.assertValid(root)
                yield root


def test_batches_fit_the_schema_and_are_what_is_counted_and_true(written: tuple[Path, Truth]) -> None:
    directory, truth = written
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
    true, gone = records_of(truth, "SEVIS")
    assert gone == {key for key, action in last.items() if action == "D"}
    assert true == last.keys() - gone
    assert gone
    assert actions["C"] > 10
