"""Use cases of EHR connections."""
