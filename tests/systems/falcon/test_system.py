"""All that holds for any system."""

from systems.contract import contract_suite

TestFalcon = contract_suite("FALCON")
