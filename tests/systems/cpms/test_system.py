"""All that holds for any system."""

from systems.contract import contract_suite

TestCpms = contract_suite("CPMS")
