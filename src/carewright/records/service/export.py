"""The right of access (45 CFR 164.524): everything that is held about one patient, page by page, as FHIR R4."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.access import ensure_recent
from carewright.contracts.apps import ListAppGrants
from carewright.contracts.audit import FindAuditEvents
from carewright.contracts.coverage import ListAuthorisations, ListCoverages, ListEligibilities
from carewright.contracts.encounters import SearchEncounters
from carewright.contracts.fhir import authorisation, eligibility, flow, payment, people, scheduling
from carewright.contracts.fhir.audit import audit_event
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.consents import app_consent
from carewright.contracts.fhir.documents import hl7_message
from carewright.contracts.fhir.orders import service_request
from carewright.contracts.fhir.vitals import observation
from carewright.contracts.hl7 import ListPatientMessages
from carewright.contracts.links import AppointmentLink, ListLinks
from carewright.contracts.notifications import ListMessages
from carewright.contracts.offers import ListOffers
from carewright.contracts.orders import SearchRequests
from carewright.contracts.patients import RecordMerged
from carewright.contracts.queue import TurnsOfVisits
from carewright.contracts.records import ExportPage, ExportRecord
from carewright.contracts.scheduling import ListAppointments
from carewright.contracts.vitals import SearchObservations
from carewright.contracts.waitlist import ListWaiting
from carewright.kernel import audit
from carewright.kernel.authz import Actor
from carewright.kernel.errors import BadInput, Forbidden
from carewright.kernel.reach import id_after
from carewright.records.context import RecordsContext

EXPORT = "records.export"
GATHER = frozenset({
    "patients.read", "patients.find", "patients.read_contacts", "patients.read_identifiers", "scheduling.appointment.read",
    "scheduling.appointment.read_note", "scheduling.appointment.any_patient", "notifications.list", "audit.read", "coverage.read",
    "coverage.any_patient", "flow.encounter.read", "flow.encounter.any_patient", "flow.precaution.read", "orders.request.read",
    "orders.request.any_patient", "vitals.observation.read", "vitals.observation.any_patient", "hl7.message.read",
    "access.app.read", "scheduling.waitlist.read",
})  # fmt: skip
"""What the system may while it puts an export together."""
PURPOSES = {"patient": "PATRQT", "law": "HLEGAL"}
"""HL7 v3 ActReason: the patient asked for it, or the law. What is given to patients themselves is no disclosure to account for."""
BEGIN_MINUTES, GO_ON_MINUTES = 5, 30
"""How fresh a sign-in must be for the first page, and for those that follow."""
PAGE = 200
Part = Callable[[RecordsContext, UUID, str | None], Awaitable[tuple[list[Resource], str | None]]]


async def export_record(ctx: RecordsContext, command: ExportRecord) -> ExportPage:
    """A page of everything that is held about one patient. Patients get their own, privacy officers anybody's.

    Raises `StepUpNeeded` unless the actor proved who they are a moment ago, `Forbidden`, `UnknownPatient`, `RecordMerged`.
    """
    ctx.actor.require(EXPORT)
    patient_id, (part, after) = _whose(ctx, command), _place(command.after)
    ensure_recent(ctx.actor.authenticated_at, ctx.clock.now(), BEGIN_MINUTES if command.after is None else GO_ON_MINUTES)
    resources, more = await PARTS[part](ctx, patient_id, after)
    if command.after is None:
        asking = ctx.acting(replace(ctx.actor, purpose=PURPOSES[command.reason]))
        await audit.record(ctx.db, audit.entry(asking, "records.record.export", "E", patient_id=patient_id))
    following = list(PARTS)[list(PARTS).index(part) + 1 :]
    coming = f"{part}~{more}" if more else (f"{following[0]}~" if following else None)
    return ExportPage(items=tuple(resources), next=coming)


def _whose(ctx: RecordsContext, command: ExportRecord) -> UUID:
    own, wanted = ctx.actor.patient_id, command.patient_id
    if own is not None and (wanted not in (None, own) or command.reason != "patient"):
        raise Forbidden("You may export your own record only.")
    if (patient_id := wanted or own) is None:
        raise BadInput("Say whose record: `patient_id` is missing.", parameter="patient_id")
    return patient_id


def _place(cursor: str | None) -> tuple[str, str | None]:
    part, parted, after = (cursor or "identity~").partition("~")
    if not parted or part not in PARTS:
        raise BadInput("`after` is not a cursor of an earlier page.", parameter="after")
    return part, after or None


async def _identity(ctx: RecordsContext, patient_id: UUID, _: str | None) -> tuple[list[Resource], str | None]:
    """The record, and those that were merged into it. Raises `RecordMerged` for one of these: everything is with the one that stands."""
    record = await ctx.patients.get_patient(_gatherer(ctx), patient_id)
    if record.replaced_by is not None:
        raise RecordMerged(patient_id=str(patient_id), survivor_id=str(record.replaced_by))
    merged = await ctx.patients.get_patients(_gatherer(ctx), record.replaces) if record.replaces else ()
    return [people.patient(each) for each in (record, *merged)], None


async def _appointments(ctx: RecordsContext, patient_id: UUID, after: str | None) -> tuple[list[Resource], str | None]:
    page = await ctx.scheduling.list_appointments(_gatherer(ctx), ListAppointments(patient_id=patient_id, limit=PAGE, after=after))
    links = await _links(ctx, patient_id) if page.items else {}
    return [scheduling.appointment(one, links=links.get(one.id, ())) for one in page.items], page.next


async def _links(ctx: RecordsContext, patient_id: UUID) -> Mapping[UUID, Sequence[AppointmentLink]]:
    """What each appointment depends on."""
    found: defaultdict[UUID, list[AppointmentLink]] = defaultdict(list)
    query: ListLinks | None = ListLinks(patient_id=patient_id, limit=PAGE)
    while query is not None:
        page = await ctx.scheduling.list_links(_gatherer(ctx), query)
        for each in page.items:
            found[each.appointment_id].append(each)
        query = replace(query, after=page.next) if page.next else None
    return found


async def _offers(ctx: RecordsContext, patient_id: UUID, after: str | None) -> tuple[list[Resource], str | None]:
    page = await ctx.offers.list_offers(_gatherer(ctx), ListOffers(patient_id=patient_id, limit=PAGE, after=id_after(after)))
    return [scheduling.offered(one) for one in page.items], str(page.next) if page.next else None


async def _waiting(ctx: RecordsContext, patient_id: UUID, after: str | None) -> tuple[list[Resource], str | None]:
    page = await ctx.scheduling.list_waiting(_gatherer(ctx), ListWaiting(patient_id=patient_id, limit=PAGE, after=id_after(after)))
    return [scheduling.waiting(one) for one in page.items], str(page.next) if page.next else None


async def _encounters(ctx: RecordsContext, patient_id: UUID, after: str | None) -> tuple[list[Resource], str | None]:
    """Each visit, and the turns that it led through; first the precautions that are kept of the patient."""
    page = await ctx.flow.search_encounters(_gatherer(ctx), SearchEncounters(patient_ids=(patient_id,), limit=PAGE, after=after))
    visits = TurnsOfVisits(encounter_ids=tuple(one.id for one in page.items))
    turns = (await ctx.queues.turns_of_visits(_gatherer(ctx), visits)).items if page.items else ()
    found = [*(flow.encounter(one) for one in page.items), *(flow.turn(one) for one in turns)]
    kept = None if after else await ctx.rooms.get_precautions(_gatherer(ctx), patient_id)
    return [*flow.precautions(kept), *found] if kept else found, page.next


async def _orders(ctx: RecordsContext, patient_id: UUID, after: str | None) -> tuple[list[Resource], str | None]:
    page = await ctx.orders.search_requests(_gatherer(ctx), SearchRequests(patient_ids=(patient_id,), limit=PAGE, after=after))
    return [service_request(one) for one in page.items], page.next


async def _observations(ctx: RecordsContext, patient_id: UUID, after: str | None) -> tuple[list[Resource], str | None]:
    page = await ctx.vitals.search_observations(_gatherer(ctx), SearchObservations(patient_ids=(patient_id,), limit=PAGE, after=after))
    return [observation(one) for one in page.items], page.next


async def _messages(ctx: RecordsContext, patient_id: UUID, after: str | None) -> tuple[list[Resource], str | None]:
    page = await ctx.notifications.list_messages(_gatherer(ctx), ListMessages(patient_id=patient_id, limit=PAGE, after=id_after(after)))
    return [people.communication(one) for one in page.items], str(page.next) if page.next else None


async def _documents(ctx: RecordsContext, patient_id: UUID, after: str | None) -> tuple[list[Resource], str | None]:
    query = ListPatientMessages(patient_id=patient_id, limit=PAGE, after=id_after(after))
    page = await ctx.desk.list_patient_messages(_gatherer(ctx), query)
    return [hl7_message(one) for one in page.items], str(page.next) if page.next else None


async def _coverages(ctx: RecordsContext, patient_id: UUID, after: str | None) -> tuple[list[Resource], str | None]:
    page = await ctx.coverages.list_coverages(_gatherer(ctx), ListCoverages(patient_id=patient_id, limit=PAGE, after=id_after(after)))
    return [payment.coverage(one) for one in page.items], str(page.next) if page.next else None


async def _eligibilities(ctx: RecordsContext, patient_id: UUID, after: str | None) -> tuple[list[Resource], str | None]:
    page = await ctx.coverages.list_eligibilities(
        _gatherer(ctx), ListEligibilities(patient_id=patient_id, limit=PAGE, after=id_after(after))
    )
    shown = [each for one in page.items for each in (eligibility.request(one), eligibility.response(one))]
    return shown, str(page.next) if page.next else None


async def _authorisations(ctx: RecordsContext, patient_id: UUID, after: str | None) -> tuple[list[Resource], str | None]:
    page = await ctx.coverages.list_authorisations(
        _gatherer(ctx), ListAuthorisations(patient_id=patient_id, limit=PAGE, after=id_after(after))
    )
    return [authorisation.response(one) for one in page.items], str(page.next) if page.next else None


async def _apps(ctx: RecordsContext, patient_id: UUID, after: str | None) -> tuple[list[Resource], str | None]:
    page = await ctx.access.list_app_grants(_gatherer(ctx), ListAppGrants(patient_id=patient_id, limit=PAGE, after=id_after(after)))
    return [app_consent(one) for one in page.items], str(page.next) if page.next else None


async def _journal(ctx: RecordsContext, patient_id: UUID, after: str | None) -> tuple[list[Resource], str | None]:
    query = FindAuditEvents(patient_id=patient_id, sort="oldest", limit=PAGE, after=after)
    page = await ctx.audit.find_events(_gatherer(ctx), query)
    return [audit_event(each) for each in page.items], page.next


def _gatherer(ctx: RecordsContext) -> Actor:
    """The system, in the name of whoever exports: each module records who it was for."""
    return replace(ctx.gatherer, organization_id=ctx.actor.organization_id, subject=ctx.actor.subject, purpose="HOPERAT")


PARTS: dict[str, Part] = {
    "identity": _identity, "coverages": _coverages, "eligibilities": _eligibilities, "authorisations": _authorisations,
    "appointments": _appointments, "offers": _offers, "waitlist": _waiting, "encounters": _encounters, "orders": _orders,
    "observations": _observations,
    "messages": _messages, "documents": _documents, "apps": _apps, "journal": _journal,
}  # fmt: skip
"""In the order in which they are given."""
