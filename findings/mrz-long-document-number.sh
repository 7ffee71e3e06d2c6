#!/usr/bin/env bash
# mrz refuses a TD1 card whose document number is longer than nine characters
#
# Seen with mrz 0.6.2, Python 3.11, on 2026-11-29.
# Input: a TD1 zone with a twelve-character document number laid out as ICAO 9303-5 says: nine characters,
#   a filler in place of the check digit, the rest and the check digit in the optional data
# Behaviour: the checker calls the valid zone false, and reports the number cut to nine characters and the rest as optional data
# Expected by the standard: ICAO 9303-5, note on document numbers of more than nine characters: such a zone is valid
#
# Run: bash findings/mrz-long-document-number.sh   (installs into a temporary folder; exit 0 while the behaviour is as described)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mrz==0.6.2
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

from mrz.checker.td1 import TD1CodeChecker


def check_digit(text):
    values = [0 if c == "<" else int(c, 36) for c in text]
    return str(sum(v * (7, 3, 1)[i % 3] for i, v in enumerate(values)) % 10)


number = "ZX8140063217"
first, rest = number[:9], number[9:]
upper = f"I<UTO{first}<{rest}{check_digit(number)}".ljust(30, "<")
birth, expiry = "850317", "310904"
middle = f"{birth}{check_digit(birth)}F{expiry}{check_digit(expiry)}UTO".ljust(29, "<")
middle += check_digit(upper[5:30] + middle[:7] + middle[8:15] + middle[18:29])
lower = "SAMPLE<<ELLEN<RUTH".ljust(30, "<")
checked = TD1CodeChecker("\n".join((upper, middle, lower)))
fields = checked.fields()
print("mrz", version("mrz"), "| valid:", bool(checked), "| number:", fields.document_number, "| optional:", fields.optional_data)
assert not checked, "the zone is accepted now"
assert (fields.document_number, fields.optional_data) == (first, rest + check_digit(number)), fields
PY
