"""Coverage's use cases. One function, one transaction, one permission."""
