"""The ways into access: its API, and the endpoints of OAuth 2.0."""
