"""The staff's pages of apps (SMART App Launch 2.2, EHR launch): whom one is started about, what it may do, and which are open."""

from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from carewright.console.http.coverage_words import called
from carewright.console.http.finding import UNCLEAR, patients_found
from carewright.console.http.page import Ask
from carewright.contracts import smart
from carewright.contracts.access import AppAskedWrongly, UnknownApp, UnknownGrant
from carewright.contracts.apps import StartApp, asked_in
from carewright.contracts.encounters import Encounter, EncounterStatus, SearchEncounters
from carewright.contracts.scheduling import Appointment, AppointmentStatus, SearchAppointments
from carewright.kernel.errors import NotFound
from carewright.kernel.http.addresses import address_saying

APPS = "/staff/apps"
OF_PATIENT = f"{APPS}/patients/{{id}}"
AUTHORIZE = smart.STAFF_AUTHORIZE_PATH
READS_ENCOUNTERS = "flow.encounter.read"
HERE: tuple[EncounterStatus, ...] = ("planned", "arrived", "triaged", "in-progress", "onleave")
AWAITED: tuple[AppointmentStatus, ...] = ("booked", "arrived", "checked-in")
BACK, AHEAD = timedelta(days=1), timedelta(days=7)
"""Appointments that an app may be started about: those of yesterday, and of the week to come."""
CHOICES_MAX = 20


class Visit(NamedTuple):
    """What an app may be started about beside the patient. `value` is the form's."""

    value: str
    text: str
    encounter_id: UUID | None = None
    appointment_id: UUID | None = None


async def show_apps(ask: Ask) -> Response:
    return await _first(ask)


async def find_patient(ask: Ask) -> Response:
    found = await patients_found(ask)
    return await _first(ask, 422, error=UNCLEAR) if found is None else await _first(ask, found=found)


async def show_patient(ask: Ask) -> Response:
    """The apps that can be started about a patient, and what of theirs each may be about."""
    apps = await ask.ctx.access.startable_apps(ask.ctx.actor)
    patient = await ask.ctx.patients.get_patient(ask.ctx.actor, ask.id)
    return ask.show("apps_patient.html", who=called(patient), patient=patient, apps=apps, visits=await _visits(ask, patient.id))


async def start(ask: Ask) -> Response:
    """On to the app, by a page that leads there: a form's redirect may not leave our site (CSP `form-action`)."""
    patient = await ask.ctx.patients.get_patient(ask.ctx.actor, ask.id)
    app = next((one for one in await ask.ctx.access.startable_apps(ask.ctx.actor) if str(one.id) == ask.form.get("app")), None)
    if app is None:
        raise UnknownApp
    about = await _chosen(ask, patient.id, ask.form.get("about", ""))
    command = StartApp(
        client_id=app.id, patient_id=patient.id, encounter_id=about.encounter_id, appointment_id=about.appointment_id
    )  # fmt: skip
    started = await ask.ctx.access.start_app(ask.ctx.actor, command)
    return ask.show("go_on.html", where=app.name, address=started.address)


async def authorize(ask: Ask) -> Response:
    """The authorization endpoint for an app that was started here: send the browser back to it, with a code or with what is wrong."""
    asked = asked_in(ask.request.query_params.multi_items())
    state = {"state": asked.state} if asked.state else {}
    try:
        code = (await ask.ctx.access.answer_launch(ask.ctx.actor, asked)).code
    except AppAskedWrongly as refusal:
        return ask.go(address_saying(asked.redirect_uri, error=str(refusal.facts["error"]), **state))
    return ask.go(address_saying(asked.redirect_uri, code=code, **state))


async def end(ask: Ask) -> Response:
    """End what an app may do that was started."""
    with suppress(UnknownGrant):
        await ask.ctx.access.turn_app_off(ask.ctx.actor, ask.id)
    return ask.go(APPS)


async def _first(ask: Ask, status: int = 200, **values: object) -> Response:
    """The first page: the search, whom it found, and the apps that are open."""
    await ask.ctx.access.startable_apps(ask.ctx.actor)  # whoever may start none has no page of them
    opened = await ask.ctx.access.my_apps(ask.ctx.actor)
    return ask.show("apps.html", status, opened=opened, called=called, **({"found": None, "error": ""} | values))


async def _chosen(ask: Ask, patient_id: UUID, value: str) -> Visit:
    """What the form says the app is about. Raises `NotFound` for what is not the patient's, or not now."""
    if not value:
        return Visit("", "")
    found = next((one for one in await _visits(ask, patient_id) if one.value == value), None)
    if found is None:
        raise NotFound
    return found


async def _visits(ask: Ask, patient_id: UUID) -> list[Visit]:
    """The patient's encounters that are not over, and their appointments around today."""
    now, actor = ask.ctx.clock.now(), ask.ctx.actor
    found: list[Visit] = []
    if actor.may(READS_ENCOUNTERS):
        here = SearchEncounters(patient_ids=(patient_id,), statuses=HERE, limit=CHOICES_MAX)
        found += [_of_encounter(one) for one in (await ask.ctx.flow.search_encounters(actor, here)).items]
    awaited = SearchAppointments(
        patient_ids=(patient_id,), statuses=AWAITED, start_from=now - BACK, start_until=now + AHEAD, limit=CHOICES_MAX
    )  # fmt: skip
    return found + [_of_appointment(one) for one in (await ask.ctx.scheduling.search_appointments(actor, awaited)).items]


def _of_encounter(one: Encounter) -> Visit:
    kind = one.encounter_class.display or one.encounter_class.code
    since = f", since {one.start:%d %B %Y, %H:%M} UTC" if one.start else ""
    return Visit(f"Encounter/{one.id}", f"Visit: {kind}{since}", one.id, one.appointment_id)


def _of_appointment(one: Appointment) -> Visit:
    when = one.start.astimezone(ZoneInfo(one.time_zone))
    return Visit(f"Appointment/{one.id}", f"Appointment: {one.visit_type_name}, {when:%d %B %Y, %H:%M}", None, one.id)
