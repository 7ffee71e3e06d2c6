"""All that holds for any system."""

from systems.contract import contract_suite

TestEvus = contract_suite("EVUS")
