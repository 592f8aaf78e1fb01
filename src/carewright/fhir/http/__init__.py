"""FHIR's addresses: parse, call one function, render."""
