"""Role by site by operation by field: what the table of permissions says is what each answer holds, and nothing else is answered.

Operations and fields come from the API's own description. One that has no rule here, or in docs/security/fields.txt, fails.
"""

from collections import defaultdict
from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec.structs import replace

from carewright.contracts.permissions import ALL, ROLES
from carewright.kernel.http.openapi import document
from carewright.roles.registry import MODULES
from tests.clinic import Clinic, Json, at, ok, open_clinic, until_known
from tests.fields import Answers, rules
from tests.probes import Operation, operations
from tests.whole_system import Answer, Inside

OF_A_SITE = frozenset({
    "advance_appointment", "ask_advice", "block_time", "book_appointment", "book_series", "cancel_appointment", "confirm_appointment",
    "find_times", "get_appointment", "get_calendar", "hold_time", "list_appointments", "list_schedules", "list_visits", "make_feed",
    "release_hold", "reschedule_appointment", "search_appointments", "set_working_hours", "unblock_time",
    "arrive", "arrive_in_emergency", "call_entry", "call_next", "get_entry", "list_entries", "list_queues", "put_queue", "step_entry",
    "transfer_entry",
    "triage_entry", "undo_step", "estimate_wait", "estimate_waits", "own_turns", "list_places", "get_place", "count_places",
    "propose_places", "assign_place", "step_place", "list_bed_requests", "ask_for_bed", "cancel_bed_request",
    "set_precautions", "list_delays", "get_delay", "set_delay", "set_telling", "list_expected", "list_gaps", "take_time",
    "give_time_back", "propose_turns", "get_relief", "set_relief", "list_other_sites",
    "see_demand", "start_tuning", "list_tunings", "get_tuning", "step_tuning",
    "enrol_sensor", "list_sensors", "change_sensor", "renew_sensor_secret", "stop_sensor", "report_readings", "say_where",
    "report_outage", "end_outage", "get_outage", "list_outages", "get_limits", "set_limits",
    "make_offer", "list_offers", "get_offer", "answer_offer", "withdraw_offer", "start_plan", "list_plans", "get_plan",
    "give_up_plan", "accept_plan", "get_planning_rules", "set_planning_rules",
    "link_appointments", "list_links", "get_link", "note_link_seen", "unlink_appointments",
    "join_waitlist", "list_waiting", "get_waiting", "change_waiting", "leave_waitlist", "get_waitlist_policy", "set_waitlist_policy",
})  # fmt: skip
"""What belongs to a site: who is kept to another neither sees nor changes it."""
LISTS = frozenset({
    "find_times", "give_time_back", "list_appointments", "list_expected", "list_links", "list_offers", "list_queues", "own_turns",
    "list_schedules", "list_waiting", "search_appointments",
})  # fmt: skip
"""What has an answer at any site, and nothing in it at another."""
OF_THE_HOSPITAL = (
    "/api/v1/access", "/api/v1/audit", "/api/v1/calendar-feeds", "/api/v1/cds/feedback", "/api/v1/communications",
    "/api/v1/patient-precautions",
    "/api/v1/coverages", "/api/v1/directory", "/api/v1/ehr", "/api/v1/hl7", "/api/v1/patients", "/api/v1/practitioners", "/api/v1/records",
    "/api/v1/services", "/api/v1/sites", "/api/v1/unusual-access", "/api/v1/visit-types",
)  # fmt: skip
"""What belongs to the whole hospital: records of people, the directory, accounts, the log."""
NARROWER = {
    "confirm_appointment": {"scheduling.appointment.accept"},
    "report_outage": {"scheduling.outage.report_person"},
    "make_feed": {"scheduling.calendar.read"},
    "withdraw_consent": {"access.consent.give", "access.consent.record"},
}
"""Where a use case asks for one of these permissions too, by what it is asked to do."""
OF_THEMSELVES = ("patient", "proxy")
"""Who is kept to one record, and to no site."""
SITES = ("every", "own", "another")
PATIENT: Json = {
    "family": "Matrix", "given": ["Field"], "telecom": [{"system": "phone", "value": "2025550101"}],
    "identifiers": [{"system": "urn:matrix:mrn", "value": "M1"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def described() -> Json:
    return document([route for module in MODULES for route in module.routes])


def test_every_field_of_every_answer_has_a_level_and_a_rule(described: Json) -> None:
    assert Answers(described).fields() ^ rules().keys() == set()
    assert {rule.permission for rule in rules().values() if rule.permission} <= ALL


def test_every_operation_belongs_to_a_site_or_to_the_whole_hospital(described: Json) -> None:
    made = operations(described)
    loose = [each.id for each in made if each.id not in OF_A_SITE and not each.path.startswith(OF_THE_HOSPITAL)]
    assert loose == []
    assert {each.id for each in made} >= OF_A_SITE


async def prepared(whole: Inside, clinic: Clinic, number: int) -> list[dict[str, str]]:
    """What one actor may name: a patient with a contact and an identifier, a visit with a note.

    The first comes with the time of another visit, which nothing ends; each of the rest with a free one.
    """
    given = PATIENT | {"identifiers": [{"system": "urn:matrix:mrn", "value": f"M{number}"}]}
    patient = UUID(ok(await whole.request("front-desk", "POST", "/api/v1/patients", json=given), 201)["id"])
    free = await clinic.free()
    booked = ok(await clinic.book(patient, free[0], note="may be read by some"), 201)["id"]
    ok(await clinic.book(patient, free[2]), 201)
    held = ok(await clinic.hold(patient, free[1]), 201)["id"]
    ids = {
        "patient_id": str(patient), "appointment_id": booked, "hold_id": held, "visit_type_id": clinic.visit_type_id,
        "site_id": clinic.site_id, "site_ids": clinic.site_id, "service_id": clinic.service_id, "actor_ids": clinic.practitioner_id,
        "practitioner_id": clinic.practitioner_id, "schedule_id": clinic.practitioner_id,
        "from_at": at(free[0], hours=-1), "until_at": at(free[0], hours=5),
    }  # fmt: skip
    return [ids | {"start": start, "end": at(start, minutes=30)} for start in free[2:]]


async def admit(whole: Inside, clinic: Clinic) -> None:
    """Somebody lies in a bed of the clinic, and somebody waits for one, so that a board has something to show."""
    bed = {"id": str(uuid4()), "kind": "bed", "name": "Bed", "site_id": clinic.site_id, "part_of_id": clinic.site_id}
    of_type = {"room_type": {"system": "urn:matrix:bed", "code": "medical"}}
    ok(await whole.request("administrator", "PUT", "/api/v1/directory", json={"locations": [bed | of_type]}))
    queue = {"site_id": clinic.site_id, "service_id": clinic.service_id, "name": "Matrix"}
    queue_id = ok(await whole.request("operations", "PUT", "/api/v1/queues", json=queue))["id"]
    entries = f"/api/v1/queues/{queue_id}/entries"
    visits = []
    for _ in range(2):
        patient = ok(await whole.request("front-desk", "POST", "/api/v1/patients", json=PATIENT | {"identifiers": []}), 201)["id"]
        visits.append(ok(await whole.request("nurse", "POST", entries, json={"patient_id": patient}), 201)["encounter_id"])
    wanted = {"encounter_id": visits[0], "site_id": clinic.site_id, "kind": "bed"}
    await until_known(lambda: whole.request("nurse", "POST", "/api/v1/places/assign", json=wanted))
    asked = {"encounter_id": visits[1], "site_id": clinic.site_id, "precautions": ["contact"]}
    ok(await whole.request("nurse", "POST", "/api/v1/bed-requests", json=asked))


def wrong(operation: Operation, role: str, site: str, answer: Answer, told: set[str]) -> list[str]:
    """What an answer should not have been, in words."""
    may = ROLES[role]
    where = f"{role} at {site} site, {operation.id}: {answer.status}"
    if operation.permission not in may:
        return [] if answer.status == 403 else [where]
    if site == "another" and operation.id in OF_A_SITE:
        reached = answer.status < 300 and operation.id not in LISTS
        return [where] if reached or told & {"Appointment.id", "Slot.start", "Opening.start", "QueueEntry.id"} else []
    is_narrower = operation.id in NARROWER and not NARROWER[operation.id] & may
    if answer.status == 403 and b'"kernel.forbidden"' in answer.body and not is_narrower:
        return [where]
    return [f"{where} told {field}" for field in told if (rule := rules()[field]).permission and rule.permission not in may]


async def test_a_role_is_answered_what_the_table_says_at_its_sites_and_field_by_field(whole: Inside, described: Json) -> None:
    answers, made = Answers(described), operations(described)
    usual, another = await open_clinic(whole), await open_clinic(whole)
    await admit(whole, usual)
    found: list[str] = []
    shown: dict[str, set[str]] = defaultdict(set)
    cells = 0
    walked = [(role, site) for role in ROLES for site in (SITES[:1] if role in OF_THEMSELVES else SITES)]
    for number, (role, site) in enumerate(walked):
        clinic = await open_clinic(whole) if "scheduling.calendar.change" in ROLES[role] else usual
        owns = iter(await prepared(whole, clinic, number))
        kept = {"every": frozenset(), "own": frozenset({UUID(clinic.site_id)}), "another": frozenset({UUID(another.site_id)})}[site]
        mine = next(owns)
        patient = UUID(mine["patient_id"]) if role in OF_THEMSELVES else None
        actor = whole.system.tokens.actor(role, f"matrix-{role}-{site}", whole.known.organization_id, patient)
        token = whole.signed(replace(actor, site_ids=kept))
        for operation in made:
            headers = {"authorization": f"Bearer {token}", "idempotency-key": f"matrix-{operation.id}"}
            place = ("query", "patient_id") if operation.id == "list_appointments" else None
            own = mine if operation.id == "block_time" else next(owns)  # so that it hits the visit
            probe = operation.probe(place, mine["patient_id"], own, headers, frozenset())
            answer = await whole.ask(probe.method, probe.target, probe.headers, probe.body)
            told = set(answers.told(operation.id, msgspec.json.decode(answer.body))) if answer.status < 300 else set()
            found += wrong(operation, role, site, answer, told)
            for field in told:
                shown[field].add(role)
            cells += max(len(told), 1)
    print(f"{cells} cells")
    assert found == []
    guarded = {field: rule.permission for field, rule in rules().items() if rule.permission}
    for field, permission in guarded.items():
        assert shown[field] <= {role for role in ROLES if permission in ROLES[role]}
        assert shown[field], f"nobody was shown {field}, so that it was not tried"
