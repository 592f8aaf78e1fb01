"""Messages of others as they were written (https://hl7.org/fhir/R4/documentreference.html)."""

from base64 import b64encode

from carewright.contracts.fhir.basics import Resource, instant, reference, resource
from carewright.contracts.hl7 import PatientMessage

MEDIA_TYPE = "application/hl7-v2; charset=utf-8"


def hl7_message(one: PatientMessage) -> Resource:
    """A message of HL7 v2, whole, in UTF-8: what another system told us of the patient, or we told it."""
    return resource("DocumentReference", one.id, {
        "status": "current",
        "type": {"text": f"HL7 v2 {one.kind}"},
        "subject": reference("Patient", one.patient_id),
        "date": instant(one.at),
        "description": "Told to another system" if one.is_told else "Received from another system",
        "content": [{"attachment": {"contentType": MEDIA_TYPE, "data": b64encode(one.content.encode()).decode()}}],
    }, at=one.at)  # fmt: skip
