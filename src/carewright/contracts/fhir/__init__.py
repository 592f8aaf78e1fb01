"""How what modules say looks in FHIR R4 (https://hl7.org/fhir/R4/): values in, JSON out. Whoever shows FHIR shows it by these."""
