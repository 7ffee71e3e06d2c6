"""All that holds for any system."""

from systems.contract import contract_suite

TestIcm = contract_suite("ICM")
