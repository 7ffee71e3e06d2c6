"""All that holds for any system."""

from systems.contract import contract_suite

TestCbsa = contract_suite("CBSA")
