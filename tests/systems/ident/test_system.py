"""All that holds for any system."""

from systems.contract import contract_suite

TestIdent = contract_suite("IDENT")
