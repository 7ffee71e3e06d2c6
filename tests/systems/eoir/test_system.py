"""All that holds for any system."""

from systems.contract import contract_suite

TestEoir = contract_suite("EOIR")
