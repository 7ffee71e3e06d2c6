"""All that holds for any system."""

from systems.contract import contract_suite

TestLeadTrac = contract_suite("LEADTRAC")
