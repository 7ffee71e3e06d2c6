"""The same keyed work by visabus and by its peers, in one run: `python -m tests.benchmarks.peers --help`."""
