"""What we offer by CDS Hooks."""

from carewright.contracts.cds import HOOK, Offered

SERVICE = "appointment-book"
PATIENT = "patient"
"""The prefetch key of whom it is for."""
OFFERED = Offered(
    hook=HOOK,
    id=SERVICE,
    title="Can this appointment be had?",
    description=(
        "Says whether the time is free, whether the patient has another appointment then, and whether somebody pays for it, and suggests"
        " other times."
    ),
    prefetch={PATIENT: "Patient/{{context.patientId}}"},
    usage_requirements=(
        "A kind of visit, a place or a practitioner is understood by the id that it has in our FHIR server. A patient is known by that id"
        " or, in prefetch, by an identifier."
    ),
    version="2.0",
    hook_version="1.0",
)
