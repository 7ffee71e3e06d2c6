"""CBSA: entries into Canada by land, as its border agency tells them."""
