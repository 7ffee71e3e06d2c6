#!/usr/bin/env bash
# cloudevents gives an event without a time the moment of reading, another one at each read
#
# Seen with cloudevents 2.2.0, Python 3.11, on 2026-11-29.
# Input: a Kafka message in binary mode without ce_time, which the specification makes optional, read twice
# Behaviour: two readings of the same bytes have two different times, and nothing tells that there was none
# Expected by the standard: CloudEvents 1.0, Kafka binding: time is optional; an absent attribute is absent
#
# Run: bash findings/cloudevents-invented-time.sh   (installs into a temporary folder; exit 0 while the behaviour is as described)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check cloudevents==2.2.0
"$work/venv/bin/python" -W ignore - <<'PY'
import time
from importlib.metadata import version

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event

headers = {"ce_specversion": b"1.0", "ce_type": b"border.crossing", "ce_source": b"/gate/4", "ce_id": b"17"}
message = KafkaMessage(headers=headers, key=None, value=b"{}")
first = from_binary_event(message).get_attributes().get("time")
time.sleep(0.02)
second = from_binary_event(message).get_attributes().get("time")
print("cloudevents", version("cloudevents"), "| first:", first, "| second:", second)
assert first is not None and second is not None and first < second, (first, second)
PY
