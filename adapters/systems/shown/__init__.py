"""SHOWN: what a person shows of a departure that no system reported."""
