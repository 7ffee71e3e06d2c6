"""The messages of IDENT, held against the schema and the truth."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from lxml import etree
from simulated import records_of

from services.simulator import Truth

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
IDENT = "{urn:visabus:ident:1}"
NC = "{http://release.niem.gov/niem/niem-core/5.0/}"


def test_encounters_fit_the_schema_and_are_what_is_counted_and_true(written: tuple[Path, Truth]) -> None:
    directory, truth = written
    schema = etree.XMLSchema(etree.parse(ROOT / "adapters/systems/ident/encounters.xsd"))
    newest: dict[str, tuple[int, str, str]] = {}
    counted: Counter[str] = Counter()
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
            counted.update(("read", action, match, category))
            counted["exits"] += (category, match, action) == ("EXIT", "MATCHED", "N")
            newest[key] = max(newest.get(key, (0, "", "")), (version, action, match))
    assert truth.counts["systems"]["IDENT"] == {
        "messages": len(messages),
        "read": counted["read"],
        "published": counted["read"] - counted["NOT-MATCHED"],
        "filtered": counted["NOT-MATCHED"],
        "exits": counted["exits"],
        "corrections": counted["C"],
        "deletions": counted["D"],
    }
    assert min(counted[name] for name in ("ENTRY", "EXIT", "ENROLMENT", "NOT-MATCHED", "D")) > 30
    assert min(counted[name] for name in ("MERGE", "C")) > 3
    true, gone = records_of(truth, "IDENT")
    assert gone == {key for key, (_, action, _) in newest.items() if action == "D"}
    assert true == {key for key, (_, action, match) in newest.items() if action != "D" and match != "NOT-MATCHED"}
