"""TECS: inspections at the port."""
