"""The command line: argument parsing only. What the commands do stands in `roles`, `simulation` and the modules."""
