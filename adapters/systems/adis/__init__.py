"""ADIS: matched travel history, a view that is polled: a copy of what other systems reported."""
