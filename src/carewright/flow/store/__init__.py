"""Flow's rows, a file for each thing they are about."""
