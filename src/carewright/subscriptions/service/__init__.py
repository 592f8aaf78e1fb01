"""What subscriptions do: one function, one transaction."""
