"""APIS: the carriers' manifests."""
