"""X12 of our own: what is written reads back the same, and whatever bytes come are read or refused in one way, `NotX12`."""
