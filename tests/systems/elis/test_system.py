"""All that holds for any system."""

from systems.contract import contract_suite

TestElis = contract_suite("ELIS")
