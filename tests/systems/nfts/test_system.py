"""All that holds for any system."""

from systems.contract import contract_suite

TestNfts = contract_suite("NFTS")
