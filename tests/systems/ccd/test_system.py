"""All that holds for any system."""

from systems.contract import contract_suite

TestCcd = contract_suite("CCD")
