"""From a rename to the view: python tests/benchmarks/rename_to_view.py [FILES]

`visabus ingest` and `visabus correlate` run as they do by default on the embedded bus and store. Each file of a legacy
extract without a total is written under a temporary name, renamed into the directory that ingest reads, and waited for
in the view: median and 95th percentile in seconds. Then the same where a file is written in place and lies 30 s first.
"""
