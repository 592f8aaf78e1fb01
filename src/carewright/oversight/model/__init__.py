"""Oversight's rules: what opens an incident by itself, and which access is unusual."""
