"""The rows of patients and of groups of them: one file for each."""
