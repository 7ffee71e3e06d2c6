"""All that holds for any system."""

from systems.contract import contract_suite

TestVspts = contract_suite("VSPTS")
