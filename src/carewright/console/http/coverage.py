"""The desk's pages of who pays: today's visits with a problem, one visit, one patient's coverages, asking again, recording and changing."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from carewright.console.http import coverage_words as words
from carewright.console.http.coverage_form import Wrong, details_in, fields_for, fields_of, wrong_of
from carewright.console.http.finding import UNCLEAR, names_of_patients, patients_found
from carewright.console.http.page import Ask
from carewright.contracts.coverage import (
    AlreadyRecorded,
    CheckEligibility,
    Coverage,
    CoverageDetails,
    InvalidAuthorisation,
    InvalidCoverage,
    ListCoverages,
    ListEligibilities,
    ListVisits,
    RecordAuthorisation,
    RecordCoverage,
    UpdateCoverage,
    VisitCoverage,
)
from carewright.contracts.directory import Location
from carewright.contracts.scheduling import Appointment, SearchAppointments
from carewright.kernel.errors import BadInput, PreconditionFailed

COVERAGE = "/staff/coverage"
VISIT, OF_PATIENT, ONE = f"{COVERAGE}/visits/{{id}}", f"{COVERAGE}/patients/{{id}}", f"{COVERAGE}/{{id}}"
CHANGE = "coverage.change"
AUTHORISATION_FIELDS = ("state", "number", "valid_from", "valid_until")
LOOKED_AT_MAX, SHOWN_MAX = 200, 50
Keep = Callable[[CoverageDetails], Awaitable[None]]


class Line(NamedTuple):
    """A visit with a problem, as the list shows it. `when` is at its site."""

    visit: VisitCoverage
    when: str
    who: str
    kind: str
    state: str
    problems: tuple[words.Said, ...]


async def show_day(ask: Ask) -> Response:
    """Today's visits of a site that nobody said they pay for."""
    sites = (await ask.ctx.directory.find_sites(ask.ctx.actor)).items
    place = ask.request.query_params.get("place") or (str(sites[0].id) if len(sites) == 1 else "")
    if not place:
        return _day(ask, sites)
    try:
        query = msgspec.convert({"site_id": place, "after": ask.request.query_params.get("after"), "limit": LOOKED_AT_MAX}, ListVisits)
    except msgspec.ValidationError as fault:
        raise BadInput from fault
    page = await ask.ctx.coverages.list_visits(ask.ctx.actor, query)
    later = f"{COVERAGE}?{urlencode({'place': place, 'after': str(page.next)})}" if page.next else ""
    return _day(ask, sites, place=place, lines=await _lines(ask, page.items), later=later)


async def find_patient(ask: Ask) -> Response:
    sites = (await ask.ctx.directory.find_sites(ask.ctx.actor)).items
    found = await patients_found(ask)
    return _day(ask, sites, 422, error=UNCLEAR) if found is None else _day(ask, sites, found=found)


async def show_visit(ask: Ask) -> Response:
    """Who pays for one visit, what they answered, and what to do."""
    return await _visit(ask)


async def record_authorisation(ask: Ask) -> Response:
    """Write down what the payer said about a visit, and show it; what the form lacks is asked for beside it."""
    given = {name: ask.form[name] for name in AUTHORISATION_FIELDS if ask.form.get(name)}
    try:
        command = msgspec.convert({"appointment_id": ask.id} | given, RecordAuthorisation)
        await ask.ctx.coverages.record_authorisation(ask.ctx.actor, command, ask.key)
    except msgspec.ValidationError:
        return await _visit(ask, "Choose what the payer said. A number has letters, digits and . / _ - only; a day looks like 2026-11-22.")
    except InvalidAuthorisation as refusal:
        return await _visit(ask, refusal.detail)
    return ask.go(VISIT.format(id=ask.id))


async def check_visit(ask: Ask) -> Response:
    """Ask again about a visit, and show what came."""
    await ask.ctx.coverages.check_visit(ask.ctx.actor, ask.id)
    return ask.go(VISIT.format(id=ask.id))


async def show_patient(ask: Ask) -> Response:
    """A patient's coverages, and what payers said last."""
    held = await ask.ctx.coverages.list_coverages(ask.ctx.actor, ListCoverages(patient_id=ask.id, limit=SHOWN_MAX))
    asked = await ask.ctx.coverages.list_eligibilities(
        ask.ctx.actor, ListEligibilities(patient_id=ask.id, latest=True, limit=LOOKED_AT_MAX)
    )
    patient = await ask.ctx.patients.get_patient(ask.ctx.actor, ask.id)
    last = {one.coverage_id: one for one in reversed(asked.items)}
    return ask.show(
        "coverage_patient.html", who=words.called(patient), patient=patient, coverages=held.items, last=last, words=words,
        may_change=_may_change(ask),
    )  # fmt: skip


async def check_coverage(ask: Ask) -> Response:
    """Ask the payer of a coverage about today."""
    coverage = await ask.ctx.coverages.get_coverage(ask.ctx.actor, ask.id)
    command = CheckEligibility(coverage_id=coverage.id, serviced_on=ask.ctx.clock.now().date(), again=True)
    await ask.ctx.coverages.check_eligibility(ask.ctx.actor, command, ask.key)
    return ask.go(OF_PATIENT.format(id=coverage.patient_id))


async def show_new(ask: Ask) -> Response:
    """The form of a new coverage, with the patient as we know them."""
    ask.ctx.actor.require(CHANGE)
    return await _form(ask, ask.id, None, fields_for(await ask.ctx.patients.get_patient(ask.ctx.actor, ask.id)))


async def record(ask: Ask) -> Response:
    """Record a coverage; what the form lacks is asked for beside it."""
    patient_id = ask.id

    async def recorded(details: CoverageDetails) -> None:
        await ask.ctx.coverages.record_coverage(ask.ctx.actor, RecordCoverage(patient_id=patient_id, details=details), ask.key)

    return await _kept(ask, patient_id, None, recorded)


async def show_coverage(ask: Ask) -> Response:
    """The form of a coverage as it stands."""
    ask.ctx.actor.require(CHANGE)
    coverage = await ask.ctx.coverages.get_coverage(ask.ctx.actor, ask.id)
    return await _form(ask, coverage.patient_id, coverage, fields_of(coverage))


async def change(ask: Ask) -> Response:
    """Change what a coverage says, unless somebody else did meanwhile."""
    coverage = await ask.ctx.coverages.get_coverage(ask.ctx.actor, ask.id)

    async def changed(details: CoverageDetails) -> None:
        command = UpdateCoverage(coverage_id=coverage.id, details=details, expected_version=ask.version)
        await ask.ctx.coverages.update_coverage(ask.ctx.actor, command, ask.key)

    return await _kept(ask, coverage.patient_id, coverage, changed)


async def _visit(ask: Ask, error: str = "") -> Response:
    """The page of a visit, with what is wrong with the form on it."""
    visit = await ask.ctx.coverages.get_visit(ask.ctx.actor, ask.id)
    (line,) = await _lines(ask, [visit])
    return ask.show(
        "coverage_visit.html", 422 if error else 200, line=line, visit=visit, words=words, may_change=_may_change(ask), error=error,
        given={name: ask.form.get(name, "") for name in AUTHORISATION_FIELDS},
    )  # fmt: skip


def _day(ask: Ask, sites: Sequence[Location], status: int = 200, **values: Any) -> Response:
    """The first page: a site's visits, or whom a search found."""
    common = {"place": "", "lines": (), "later": "", "found": None, "error": "", "words": words}
    return ask.show("coverage.html", status, sites=sites, **(common | values))


async def _kept(ask: Ask, patient_id: UUID, before: Coverage | None, keep: Keep) -> Response:
    """On to the patient once the form was kept; otherwise the form with what is in the way, as it was filled in."""
    try:
        await keep(details_in(ask.form))
    except Wrong as wrong:
        return await _form(ask, patient_id, before, ask.form, wrong)
    except InvalidCoverage as refusal:
        return await _form(ask, patient_id, before, ask.form, wrong_of(refusal))
    except (AlreadyRecorded, PreconditionFailed) as refusal:
        return await _form(ask, patient_id, before, ask.form, error=refusal.title)
    return ask.go(OF_PATIENT.format(id=patient_id))


async def _form(
    ask: Ask, patient_id: UUID, before: Coverage | None, fields: Mapping[str, str], wrong: Wrong | None = None, *, error: str = ""
) -> Response:
    patient = await ask.ctx.patients.get_patient(ask.ctx.actor, patient_id)
    return ask.show(
        "coverage_form.html", 422 if wrong or error else 200, who=words.called(patient), patient_id=patient_id, before=before,
        fields=fields, wrong={wrong.field: wrong.text} if wrong else {}, error=error, words=words,
    )  # fmt: skip


async def _lines(ask: Ask, visits: Iterable[VisitCoverage]) -> list[Line]:
    """Visits with whose they are, when and for what, each asked for once for all of them."""
    visits = list(visits)
    if not visits:
        return []
    ids = tuple(each.appointment_id for each in visits)
    found = await ask.ctx.scheduling.search_appointments(ask.ctx.actor, SearchAppointments(ids=ids, limit=LOOKED_AT_MAX))
    appointments, names = {one.id: one for one in found.items}, await names_of_patients(ask, (each.patient_id for each in visits))
    return [_line(each, appointments.get(each.appointment_id), names.get(each.patient_id, "A patient")) for each in visits]


def _line(visit: VisitCoverage, appointment: Appointment | None, who: str) -> Line:
    zone = ZoneInfo(appointment.time_zone if appointment else "UTC")
    return Line(
        visit=visit, when=f"{visit.starts_at.astimezone(zone):%d %B %Y, %H:%M}", who=who,
        kind=appointment.visit_type_name if appointment else "Visit", state=words.STATES[words.state_of_visit(visit)],
        problems=tuple(words.MISSING[each] for each in visit.missing),
    )  # fmt: skip


def _may_change(ask: Ask) -> bool:
    return ask.ctx.actor.may(CHANGE)
