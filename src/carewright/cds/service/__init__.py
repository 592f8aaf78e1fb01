"""CDS Hooks' use cases."""
