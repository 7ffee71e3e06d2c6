"""NFTS: where the paper files on persons are."""
