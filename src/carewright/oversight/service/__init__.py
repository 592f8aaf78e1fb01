"""Oversight's use cases: incidents, and unusual access."""
