"""All that holds for any system."""

from systems.contract import contract_suite

TestPcqs = contract_suite("PCQS")
