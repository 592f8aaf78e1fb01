"""Rules of CDS Hooks: pure."""
