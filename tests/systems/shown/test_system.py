"""SHOWN."""

from __future__ import annotations

from systems.contract import contract_suite

TestShown = contract_suite("SHOWN")
