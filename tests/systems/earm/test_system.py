"""All that holds for any system."""

from systems.contract import contract_suite

TestEarm = contract_suite("EARM")
