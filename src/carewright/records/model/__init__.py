"""How what is held about a patient looks in FHIR, and what is left of it without the person."""
