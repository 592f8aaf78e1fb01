"""Flow's use cases, a file for each thing they are about."""
