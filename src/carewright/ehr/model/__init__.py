"""Rules of EHR connections: pure."""
