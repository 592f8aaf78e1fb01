"""Who is a nurse, who a technician: read from the codes of roles and qualifications.

Sources: NUCC Health Care Provider Taxonomy (https://nucc.org), SNOMED CT occupations, HL7 practitioner-role and v2 table 0360.
Whoever no code describes is a practitioner.
"""

from collections.abc import Iterable
from typing import Literal

from carewright.fhir.model import r4

StaffKind = Literal["practitioner", "nurse", "technician"]

NUCC_SYSTEMS = frozenset({"http://nucc.org/provider-taxonomy", "urn:oid:2.16.840.1.113883.6.101"})
NUCC_PREFIXES: tuple[tuple[str, StaffKind], ...] = (
    ("163W", "nurse"),  # registered nurses
    ("164", "nurse"),  # licensed practical and vocational nurses
    ("167", "technician"),  # licensed psychiatric technicians
    ("24", "technician"),  # technologists and technicians: imaging, laboratory, cardiology
    ("37", "technician"),  # nursing aides and attendants
    ("146", "technician"),  # emergency medical technicians
    ("1837", "technician"),  # pharmacy technicians
    ("1268", "technician"),  # dental assistants
)
"""Nurse practitioners (363L), clinical nurse specialists (364S) and nurse anesthetists (3675) see patients on their own: practitioners."""

CODES: dict[tuple[str, str], StaffKind] = {
    ("http://terminology.hl7.org/CodeSystem/practitioner-role", "doctor"): "practitioner",
    ("http://terminology.hl7.org/CodeSystem/practitioner-role", "nurse"): "nurse",
    ("http://snomed.info/sct", "112247003"): "practitioner",  # medical doctor
    ("http://snomed.info/sct", "158965000"): "practitioner",  # medical practitioner
    ("http://snomed.info/sct", "224571005"): "practitioner",  # nurse practitioner
    ("http://snomed.info/sct", "304292004"): "practitioner",  # surgeon
    ("http://snomed.info/sct", "309343006"): "practitioner",  # physician
    ("http://snomed.info/sct", "5275007"): "nurse",  # auxiliary nurse
    ("http://snomed.info/sct", "6816002"): "nurse",  # specialized nurse
    ("http://snomed.info/sct", "106292003"): "nurse",  # professional nurse
    ("http://snomed.info/sct", "224535009"): "nurse",  # registered nurse
    ("http://snomed.info/sct", "224538006"): "nurse",  # triage nurse
    ("http://snomed.info/sct", "415506007"): "nurse",  # scrub nurse
    ("http://snomed.info/sct", "4162009"): "technician",  # dental assistant
    ("http://snomed.info/sct", "159016003"): "technician",  # radiographer
    ("http://snomed.info/sct", "159036002"): "technician",  # ECG technician
    ("http://snomed.info/sct", "159037006"): "technician",  # EEG technician
    ("http://snomed.info/sct", "159039009"): "technician",  # audiology technician
    ("http://snomed.info/sct", "159040006"): "technician",  # pharmacy technician
    ("http://snomed.info/sct", "307988006"): "technician",  # medical technician
}

QUALIFICATION_SYSTEM = "http://terminology.hl7.org/CodeSystem/v2-0360"
QUALIFICATIONS: dict[str, StaffKind] = {
    **dict.fromkeys(("RN", "CRN"), "nurse"),
    **dict.fromkeys(("MT", "CMA", "RMA", "EMT", "EMTP"), "technician"),
    **dict.fromkeys(("MD", "DO", "NP", "CNP", "CANP", "CPNP", "FPNP", "CNM", "CNS", "PA"), "practitioner"),
}

PRECEDENCE: tuple[StaffKind, ...] = ("practitioner", "nurse", "technician")
"""Someone with several roles is what the most independent of them makes them."""


def kind_of_coding(coding: r4.Coding) -> StaffKind | None:
    """The kind of staff one code means, or None where it does not say."""
    system, code = coding.system or "", coding.code or ""
    if system in NUCC_SYSTEMS:
        return next((kind for prefix, kind in NUCC_PREFIXES if code.startswith(prefix)), "practitioner" if code else None)
    if system.startswith(QUALIFICATION_SYSTEM):
        return QUALIFICATIONS.get(code)
    return CODES.get((system, code))


def kind_of(concepts: Iterable[r4.CodeableConcept]) -> StaffKind | None:
    """The kind of staff several concepts mean together."""
    return strongest(kind_of_coding(coding) for concept in concepts for coding in concept.coding)


def strongest(kinds: Iterable[StaffKind | None]) -> StaffKind | None:
    """The most independent kind among several, or None when none is known."""
    return min((kind for kind in kinds if kind), key=PRECEDENCE.index, default=None)
