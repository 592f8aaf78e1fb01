"""Who is put where: whoever comes is found by name, and for each visit the page says where it could go, and why there."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from starlette.responses import Response

from carewright.console.http import bed_waiting
from carewright.console.http import bed_words as words
from carewright.console.http.apps import HERE as OPEN
from carewright.console.http.beds import BEDS, FASTER, board_of, clock_of_site, names_of
from carewright.console.http.coverage_words import called
from carewright.console.http.finding import UNCLEAR, patients_found
from carewright.console.http.page import Ask, valid
from carewright.console.http.sites import sites_of
from carewright.contracts.directory import Coding, Location
from carewright.contracts.encounters import Encounter, RecordEncounter, SearchEncounters
from carewright.contracts.flow import NoPlaceFree, PlaceNotFree, PlaceNotSuited, StatusNotAllowed
from carewright.contracts.rooms import (
    AssignPlace,
    CountPlaces,
    ListPlaces,
    Place,
    PlaceKind,
    ProposedPlaces,
    ProposePlaces,
    RecordPrecautions,
)
from carewright.kernel.errors import NotFound, PreconditionFailed

ADMIT = f"{BEDS}/admit"
VISIT = f"{BEDS}/visits/{{id}}"
RECORD = "flow.encounter.record"
READ_NEEDS, RECORD_NEEDS = "flow.precaution.read", "flow.precaution.record"
STATES: Mapping[str, str] = {
    "planned": "Planned", "arrived": "Here", "triaged": "Here, and seen by a nurse", "in-progress": "Being treated", "onleave": "On leave",
}  # fmt: skip
VISITS_MAX = 200
FREE_MAX = 500
INPATIENT = Coding(system="http://terminology.hl7.org/CodeSystem/v3-ActCode", code="IMP", display="inpatient encounter")
NOT_SUITED = "That place is of another type, lacks the equipment, or is not fit for the precautions. Choose another, or ask for less."
NONE_FREE = "Nothing that suits is free any more. Ask for less, or have one cleaned."


class Line(NamedTuple):
    """A visit that goes on, for a page that lists them."""

    id: UUID
    words: str


class Proposal(NamedTuple):
    """A place where somebody could go."""

    place: Place
    where: str
    features: str
    why: str


async def show_admit(ask: Ask) -> Response:
    """Who is to be admitted, at which site."""
    return ask.show("bed_admit.html", site=await _site(ask, ask.request.query_params.get("place", "")), found=None, error="", called=called)


async def find_patient(ask: Ask) -> Response:
    """Who they are, and which of their visits go on."""
    site = await _site(ask, ask.form.get("place", ""))
    found = await patients_found(ask)
    if found is None:
        return ask.show("bed_admit.html", 422, site=site, found=None, error=UNCLEAR, called=called)
    visits: dict[UUID, list[Line]] = {each.id: [] for each in found.items}
    if visits:
        query = SearchEncounters(patient_ids=tuple(visits), statuses=OPEN, limit=VISITS_MAX)
        for each in (await ask.ctx.flow.search_encounters(ask.ctx.actor, query)).items:
            visits[each.patient_id].append(Line(each.id, _words(ask, site, each)))
    return ask.show(
        "bed_admit.html", site=site, found=found, visits=visits, error="", called=called, may_begin=ask.ctx.actor.may(RECORD)
    )  # fmt: skip


async def begin(ask: Ask) -> Response:
    """A stay that begins when a bed is found for it: until then it is planned."""
    site = await _site(ask, ask.form.get("place", ""))
    given = {
        "patient_id": ask.form.get("patient", ""), "status": "planned", "encounter_class": msgspec.to_builtins(INPATIENT),
        "site_id": str(site.id),
    }  # fmt: skip
    encounter = await ask.ctx.flow.record_encounter(ask.ctx.actor, valid(RecordEncounter, given), ask.key)
    return ask.go(f"{VISIT.format(id=encounter.id)}?{urlencode({'place': str(site.id)})}")


async def show_visit(ask: Ask) -> Response:
    """Where a patient could go; `to` is where somebody dragged them."""
    return await _shown(ask, ask.request.query_params)


async def look(ask: Ask) -> Response:
    """The same, for what was asked."""
    return await _shown(ask, ask.form)


async def put(ask: Ask) -> Response:
    """Put the patient there: admit, or transfer."""
    given = _wanted(ask, ask.form, (await _site(ask, ask.form.get("place", ""))).id)
    if ask.form.get("to"):
        given |= {"place_id": ask.form["to"]}
    command = valid(AssignPlace, given)
    try:
        place = await ask.ctx.rooms.assign_place(ask.ctx.actor, command, ask.key)
    except PlaceNotFree:
        return await _shown(ask, ask.form, 409, FASTER)
    except PlaceNotSuited:
        return await _shown(ask, ask.form, 409, NOT_SUITED)
    except NoPlaceFree:
        return await _shown(ask, ask.form, 409, NONE_FREE)
    return ask.go(board_of(place, "put"))


async def keep(ask: Ask) -> Response:
    """Which precautions the patient needs, for this time and every other."""
    encounter = await ask.ctx.flow.get_encounter(ask.ctx.actor, ask.id)
    given = {"patient_id": str(encounter.patient_id), "precautions": words.ticked(ask.form), "expected_version": ask.version}
    try:
        await ask.ctx.rooms.record_precautions(ask.ctx.actor, valid(RecordPrecautions, given), ask.key)
    except PreconditionFailed:
        return await _shown(ask, {"place": ask.form.get("place", "")}, 409, FASTER)
    return ask.go(f"{VISIT.format(id=ask.id)}?{urlencode({'place': ask.form.get('place', '')})}")


def _wanted(ask: Ask, said: Mapping[str, str], site_id: UUID) -> dict[str, Any]:
    """What is asked for, as the page or its form has it."""
    given = {"encounter_id": str(ask.id), "site_id": str(site_id), "kind": said.get("kind") or "bed"}
    return given | bed_waiting.wanted(said)


async def _shown(ask: Ask, said: Mapping[str, str], status: int = 200, error: str = "") -> Response:
    encounter = await ask.ctx.flow.get_encounter(ask.ctx.actor, ask.id)
    site = await _site(ask, said.get("place") or str(encounter.site_id or ""))
    request = await bed_waiting.request_of(ask, site, encounter.id)
    if request and ask.request.method == "GET":
        said = bed_waiting.wished(request) | dict(said)
    aimed = await _aimed(ask, site, said.get("to", ""))
    given = _wanted(ask, said, site.id) | ({"kind": aimed.kind} if aimed else {})
    wanted = valid(ProposePlaces, given)
    try:
        found = await ask.ctx.rooms.propose_places(ask.ctx.actor, wanted)
    except StatusNotAllowed:
        return ask.show("stop.html", 409, title="The visit is over", text="A new stay begins from the bed board.")
    free = await _free(ask, site, wanted.kind)
    now_in = await _now_in(ask, site, encounter)
    names = await names_of(ask, [each.place for each in found.items])
    kept = await ask.ctx.rooms.get_precautions(ask.ctx.actor, encounter.patient_id) if ask.ctx.actor.may(READ_NEEDS) else None
    patient = (await ask.ctx.patients.get_patients(ask.ctx.actor, (encounter.patient_id,)))[0]
    return ask.show(
        "bed_visit.html", status, site=site, visit=encounter, who=called(patient), error=error, aimed=aimed, wanted=wanted, now_in=now_in,
        state=_words(ask, site, encounter), proposals=_proposals(found, names), lacking=words.lacking(found, wanted.kind),
        free=sorted(free, key=lambda each: each.name), kinds=words.ONE, precautions=words.PRECAUTIONS,
        devices=sorted({(words.word_of(code), code) for each in free for code in each.devices}), types=await _types(ask, site, wanted.kind),
        request=request, urgencies=bed_waiting.URGENCIES,
        waits_since=clock_of_site(ask, site, request.asked_at) if request else "", kept=kept, may_keep=ask.ctx.actor.may(RECORD_NEEDS),
    )  # fmt: skip


async def _aimed(ask: Ask, site: Location, text: str) -> Place | None:
    """The place where somebody was dragged, if it is one of the site."""
    if not text:
        return None
    asked = valid(ListPlaces, {"site_id": str(site.id), "ids": [text], "whose": False})
    return next(iter((await ask.ctx.rooms.list_places(ask.ctx.actor, asked)).items), None)


async def _free(ask: Ask, site: Location, kind: PlaceKind) -> Sequence[Place]:
    asked = ListPlaces(site_id=site.id, kind=kind, status="free", whose=False, limit=FREE_MAX)
    return (await ask.ctx.rooms.list_places(ask.ctx.actor, asked)).items


async def _now_in(ask: Ask, site: Location, encounter: Encounter) -> Sequence[Place]:
    if not encounter.location_ids:
        return ()
    found = await ask.ctx.rooms.list_places(ask.ctx.actor, ListPlaces(site_id=site.id, ids=encounter.location_ids))
    return [each for each in found.items if each.encounter_id == encounter.id]


async def _types(ask: Ask, site: Location, kind: PlaceKind) -> Sequence[tuple[str, str]]:
    counts = (await ask.ctx.rooms.count_places(ask.ctx.actor, CountPlaces(site_id=site.id))).items
    return sorted({(words.word_of(each.room_type), each.room_type) for each in counts if each.kind == kind and each.room_type})


def _proposals(found: ProposedPlaces, names: Mapping[UUID | str | None, str]) -> list[Proposal]:
    return [
        Proposal(
            each.place, ", ".join(filter(None, (names.get(each.place.part_of_id), names.get(each.place.room_type)))),
            words.features_of(each.place), words.why_of(each.why),
        )
        for each in found.items
    ]  # fmt: skip


def _words(ask: Ask, site: Location, encounter: Encounter) -> str:
    kind = encounter.encounter_class.display or encounter.encounter_class.code
    since = f", since {clock_of_site(ask, site, encounter.start)}" if encounter.start else ""
    return f"{STATES.get(encounter.status, encounter.status)} ({kind}){since}"


async def _site(ask: Ask, text: str) -> Location:
    """The site that is named, or the only one. Raises `NotFound`."""
    sites = await sites_of(ask)
    site = next((each for each in sites if str(each.id) == text), sites[0] if len(sites) == 1 else None)
    if site is None:
        raise NotFound
    return site
