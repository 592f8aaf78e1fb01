"""The rules of subscriptions: pure; no clock, no I/O."""
