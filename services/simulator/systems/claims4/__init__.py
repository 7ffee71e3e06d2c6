"""CLAIMS 4: a view of cases of naturalisation."""
