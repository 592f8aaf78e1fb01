"""Patients by plain FHIR writes: the same use cases as our own API."""

from uuid import UUID

from carewright.contracts.fhir import people
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import NotSelective
from carewright.contracts.patients import InvalidPatient, Patient, RegisterPatient, SearchPatients, UpdatePatient
from carewright.fhir.context import FhirContext
from carewright.fhir.model.left_out import left_out
from carewright.fhir.model.person import commanded, expression_of, is_same, read_person
from carewright.fhir.model.pointing import known_uuid
from carewright.fhir.model.writes import Sent, Written
from carewright.fhir.service.telling import told

FAMILY_LETTERS_MIN = 2
"""With fewer no name is searched by."""
CANDIDATES_MAX = 200


async def post(ctx: FhirContext, sent: Sent) -> Written:
    """A new patient; or, where there is a record of that person already, that one (Argonaut Scheduling, patient-based workflow).

    Raises `InvalidElement`, `NotSelective` where several records are of that person, and what `register_patient` refuses.
    """
    said = read_person(sent.resource)
    if known := await _known(ctx, said):
        return Written(resource=people.patient(known))
    made = await told(ctx.patients.register_patient(ctx.actor, commanded(RegisterPatient, said), sent.key), InvalidPatient, expression_of)
    return _written(made, sent, is_new=True)


async def put(ctx: FhirContext, id_: str, sent: Sent) -> Written:
    """The record says what was sent, and nothing else. Raises `InvalidElement`, `UnknownId`, and what `update_patient` refuses."""
    said = read_person(await _without_own_links(ctx, known_uuid(id_), sent.resource))
    command = commanded(UpdatePatient, said, patient_id=known_uuid(id_), expected_version=sent.version)
    stored = await told(ctx.patients.update_patient(ctx.actor, command, sent.key), InvalidPatient, expression_of)
    return _written(stored, sent)


async def _without_own_links(ctx: FhirContext, patient_id: UUID, sent: Resource) -> Resource:
    """Who sends back which records were merged says nothing new by it; others are not linked by a write."""
    if "link" not in sent or sent["link"] != people.patient(await ctx.patients.get_patient(ctx.actor, patient_id)).get("link"):
        return sent
    return {name: value for name, value in sent.items() if name != "link"}


def _written(stored: Patient, sent: Sent, *, is_new: bool = False) -> Written:
    shown = people.patient(stored)
    return Written(resource=shown, is_new=is_new, left_out=left_out(sent.resource, shown))


async def _known(ctx: FhirContext, said: Patient) -> Patient | None:
    if said.birth_on is None or not (said.identifiers or said.telecom):
        return None
    family = said.family if sum(map(str.isalpha, said.family)) >= FAMILY_LETTERS_MIN else None
    query = SearchPatients(family=family, birth_on=said.birth_on, limit=CANDIDATES_MAX)
    page = await ctx.patients.search_patients(ctx.actor, query)
    found = [one for one in page.items if is_same(one, said)]
    if len(found) > 1:
        raise NotSelective("Several records are of this person. Search for them and take one.")
    return found[0] if found else None
