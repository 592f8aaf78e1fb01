"""What a mapping says and what rows become by it, without I/O."""
