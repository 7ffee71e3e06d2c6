"""RAPS: a change table of applications for asylum."""
