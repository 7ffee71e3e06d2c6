"""SEVIS: batches of programs of study and exchange."""
