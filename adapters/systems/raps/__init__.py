"""RAPS: applications for asylum, and what became of them."""
