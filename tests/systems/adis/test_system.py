"""All that holds for any system."""

from systems.contract import contract_suite

TestAdis = contract_suite("ADIS")
