"""All that holds for any system."""

from systems.contract import contract_suite

TestRaps = contract_suite("RAPS")
