"""All that holds for any system."""

from systems.contract import contract_suite

TestI94 = contract_suite("I94")
