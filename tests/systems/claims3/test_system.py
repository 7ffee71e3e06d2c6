"""All that holds for any system."""

from systems.contract import contract_suite

TestClaims3 = contract_suite("CLAIMS3")
