"""Measure matching on a public set of persons whose truth is known: a CSV in, precision and recall out.

The file has a header with `cluster` (one value per true person), `family`, `given`, `birth` (YYYY-MM-DD, YYYY-MM, YYYY
or empty), and, where the set has them, `sex` and `citizenship`. Each row is a claim of its own without any identifier,
so that names and dates alone have to speak. No such set is part of this project; those of Febrl and of Splink's
demonstrations have this form once their columns are renamed.

    python tests/benchmarks/public_pairs.py febrl3.csv
    python tests/benchmarks/public_pairs.py febrl3.csv --wrong 20   # and pairs that were joined and are two persons
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from math import comb
from pathlib import Path
from time import perf_counter

from services.domain import blocks, identity, scoring
from services.domain.facts import Claim, claim_key


def claim_of(row: dict[str, str], number: int = 0) -> Claim:
    """The row as a claim with nothing but an admission number of its own."""
    name = (row["family"].upper(), row["given"].upper())
    citizenship = row.get("citizenship") or ""
    names = (name,) if any(name) else ()
    return Claim(
        names, row["birth"], row.get("sex") or "", (citizenship,) if citizenship else (), (f"i94/CBP/{number:011}",)
    )


def nodes_of(rows: Sequence[dict[str, str]]) -> tuple[dict[bytes, identity.Node], list[bytes]]:
    """The rows as nodes, and the key of each."""
    nodes: dict[bytes, identity.Node] = {}
    places = []
    for number, row in enumerate(rows, 1):
        claim = claim_of(row, number)
        key = claim_key(claim)
        place = key.to_bytes(8, "big", signed=True)
        nodes.setdefault(place, identity.Node(claim, key, 0, place))
        places.append(place)
    return nodes, places


def rates(truth: Sequence[str], homes: Sequence[object]) -> dict[str, float | int]:
    """Precision and recall over pairs of rows."""
    sizes: list[dict[object, int]] = [defaultdict(int), defaultdict(int), defaultdict(int)]
    for cluster, home in zip(truth, homes, strict=True):
        for counted, key in zip(sizes, (cluster, home, (cluster, home)), strict=True):
            counted[key] += 1
    true, result, right = (sum(comb(size, 2) for size in counted.values()) for counted in sizes)
    return {
        "rows": len(truth),
        "true": true,
        "found": result,
        "wrong": result - right,
        "precision": round(right / result, 5) if result else 0.0,
        "recall": round(right / true, 4) if true else 0.0,
    }


def main() -> None:
    """Print one JSON object for each file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--wrong", type=int, default=0, help="print so many pairs that were joined wrongly")
    parser.add_argument("--missed", type=int, default=0, help="print so many pairs that were not found")
    options = parser.parse_args()
    for file in options.files:
        with file.open(newline="", encoding="utf-8") as opened:
            rows = list(csv.DictReader(opened))
        begun = perf_counter()
        nodes, places = nodes_of(rows)
        home = {
            place: number for number, person in enumerate(identity.persons_of(nodes, [], [])) for place in person.nodes
        }
        homes = [home[place] for place in places]
        truth = [row["cluster"] for row in rows]
        print(json.dumps({"file": file.name, **rates(truth, homes), "seconds": round(perf_counter() - begun, 1)}))
        _show(rows, homes, same_home=True, limit=options.wrong)
        _show(rows, homes, same_home=False, limit=options.missed)


def _show(rows: Sequence[dict[str, str]], homes: Sequence[int], *, same_home: bool, limit: int) -> None:
    by_group: dict[object, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        by_group[homes[place] if same_home else row["cluster"]].append(place)
    for members in by_group.values():
        for one, other in combinations(members, 2):
            differ = rows[one]["cluster"] != rows[other]["cluster"] if same_home else homes[one] != homes[other]
            if differ and limit > 0:
                limit -= 1
                mine, theirs = claim_of(rows[one]), claim_of(rows[other])
                met = sorted({block for block in blocks.texts_of(mine) if block} & set(blocks.texts_of(theirs)))
                print("  ", *mine.names, mine.birth, "|", *theirs.names, theirs.birth, scoring.score(mine, theirs), met)


if __name__ == "__main__":
    main()
