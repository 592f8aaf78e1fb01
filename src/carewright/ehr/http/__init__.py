"""EHR connections by our API."""
