"""The patients module's use cases: one file for each of its two truths."""
