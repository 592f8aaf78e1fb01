"""`make bench`: measures, prints tables, and writes them to docs/benchmarks.md with machine, versions and command."""
