"""All that holds for any system."""

from systems.contract import contract_suite

TestSevis = contract_suite("SEVIS")
