"""All that holds for any system."""

from systems.contract import contract_suite

TestTvs = contract_suite("TVS")
