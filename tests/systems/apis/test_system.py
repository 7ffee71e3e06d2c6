"""All that holds for any system."""

from systems.contract import contract_suite

TestApis = contract_suite("APIS")
