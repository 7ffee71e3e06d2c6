"""ACRIMe by the suite of all systems."""

from systems.contract import contract_suite

TestAcrime = contract_suite("ACRIME")
