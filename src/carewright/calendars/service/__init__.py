"""What calendars do: one function, one transaction."""
