"""The rules of access: pure."""
