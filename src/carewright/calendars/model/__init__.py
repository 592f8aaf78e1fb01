"""What calendars decide and write, without I/O."""
