"""All that holds for any system."""

from systems.contract import contract_suite

TestEdms = contract_suite("EDMS")
