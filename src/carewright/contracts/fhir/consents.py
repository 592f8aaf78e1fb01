"""What people let apps do with their records, as R4's Consent (https://hl7.org/fhir/R4/consent.html)."""

from carewright.contracts.apps import AppGrant
from carewright.contracts.directory import Coding
from carewright.contracts.fhir.basics import Resource, concept, instant, period, reference, resource

PRIVACY = Coding(system="http://terminology.hl7.org/CodeSystem/consentscope", code="patient-privacy", display="Privacy Consent")
CATEGORY = Coding(system="http://loinc.org", code="59284-0", display="Consent Document")
"""From R4's value set of categories."""
OPT_IN = Coding(system="http://terminology.hl7.org/CodeSystem/v3-ActCode", code="OPTIN", display="opt-in")
"""R4's invariant ppc-1 asks for a policy: nothing is let in that nobody asked for."""
RECIPIENT = Coding(system="http://terminology.hl7.org/CodeSystem/v3-ParticipationType", code="IRCP", display="information recipient")


def app_consent(one: AppGrant) -> Resource:
    """Who let which app do what, since when and until when. A scope is told as SMART writes it."""
    who = reference("RelatedPerson", one.consent_id) if one.consent_id else reference("Patient", one.patient_id)
    return resource("Consent", one.id, {
        "status": "active" if one.active else "inactive",
        "scope": concept(PRIVACY),
        "category": [concept(CATEGORY)],
        "patient": reference("Patient", one.patient_id),
        "dateTime": instant(one.granted_at),
        "performer": [who],
        "policyRule": concept(OPT_IN),
        "provision": {
            "type": "permit",
            "period": period(one.granted_at, one.until),
            "actor": [{"role": concept(RECIPIENT), "reference": {"display": one.name}}],
            "code": [{"text": scope} for scope in one.scopes],
        },
    })  # fmt: skip
