"""How what is held about a patient looks in FHIR."""
