"""All that holds for any system."""

from systems.contract import contract_suite

TestSave = contract_suite("SAVE")
