"""EOIR: monthly extracts of the immigration courts."""
