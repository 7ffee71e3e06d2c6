#!/usr/bin/env bash
# nameparser takes a given name that is spelt like a title of learning out of the name
#
# Seen with nameparser 2.6.0, Python 3.11, on 2026-11-29.
# Input: names in the order of travel documents, family name before the comma: SINGH, MD (short for Mohammad) and SINGH, RAVI
# Behaviour: RAVI is a given name; MD is a suffix and the person has no given name
# Expected by the standard: behind a comma stands the given name: in ICAO 9303 zones and on carriers' manifests there are no suffixes of learning
#
# Run: bash findings/nameparser-given-name-as-suffix.sh   (installs into a temporary folder; exit 0 while the behaviour is as described)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check nameparser==2.6.0
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

from nameparser import HumanName

seen = {}
for text in ("SINGH, RAVI", "SINGH, MD"):
    name = HumanName(text)
    seen[text] = (name.last, name.first, name.suffix)
print("nameparser", version("nameparser"), "|", seen)
assert seen == {"SINGH, RAVI": ("SINGH", "RAVI", ""), "SINGH, MD": ("SINGH", "", "MD")}, seen
PY
