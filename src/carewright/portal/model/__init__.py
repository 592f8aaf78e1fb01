"""What the pages say, worked out without a clock, a network or a template."""
