"""Audit's rules: the tree, its proofs, checkpoints, verification, and how an entry looks in FHIR."""
