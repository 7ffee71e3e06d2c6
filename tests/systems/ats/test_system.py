"""ATS by the suite of all systems; reservations by tests of their own."""

from systems.contract import contract_suite

TestAts = contract_suite("ATS")
