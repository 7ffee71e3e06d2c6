"""All that holds for any system."""

from systems.contract import contract_suite

TestEsta = contract_suite("ESTA")
