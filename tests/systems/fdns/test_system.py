"""All that holds for any system."""

from systems.contract import contract_suite

TestFdns = contract_suite("FDNS")
