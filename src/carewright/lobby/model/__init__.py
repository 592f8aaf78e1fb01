"""Pure rules of the lobby."""
