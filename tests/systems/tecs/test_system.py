"""TECS by the suite of all systems."""

from systems.contract import contract_suite

TestTecs = contract_suite("TECS")
