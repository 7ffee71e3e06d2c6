#!/usr/bin/env bash
# airportsdata counts some airports of United States territories as the United States, others not
#
# Seen with airportsdata 20260905, Python 3.11, on 2026-11-29.
# Input: the country of airports in Puerto Rico, the Virgin Islands, Guam, the Northern Marianas and American Samoa
# Behaviour: San Juan and Charlotte Amalie have US, Guam GU, Saipan MP and Pago Pago AS: country == US tells neither the ISO area nor the law's
# Expected by the standard: ISO 3166-1 has PR and VI as it has GU, MP and AS; 8 U.S.C. 1101(a)(38) counts all of them but American Samoa
#
# Run: bash findings/airportsdata-territories.sh   (installs into a temporary folder; exit 0 while the behaviour is as described)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check airportsdata==20260905
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import airportsdata

airports = airportsdata.load("IATA")
seen = {code: airports[code]["country"] for code in ("SJU", "STT", "GUM", "SPN", "PPG")}
print("airportsdata", version("airportsdata"), "|", seen)
assert seen == {"SJU": "US", "STT": "US", "GUM": "GU", "SPN": "MP", "PPG": "AS"}, seen
PY
