"""Coverage's rules: no clock, no I/O."""
