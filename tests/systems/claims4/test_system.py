"""All that holds for any system."""

from systems.contract import contract_suite

TestClaims4 = contract_suite("CLAIMS4")
