"""Settings of the FHIR rim."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirSettings:
    """`base_url` is the address under which others reach us, `/fhir/R4` included. Without it, links say what the request said."""

    base_url: str = ""
