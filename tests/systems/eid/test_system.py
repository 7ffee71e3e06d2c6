"""All that holds for any system."""

from systems.contract import contract_suite

TestEid = contract_suite("EID")
