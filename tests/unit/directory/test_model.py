"""The rules of the directory's entries."""

from typing import Any

import pytest
from msgspec.structs import replace

from carewright.contracts.directory import (
    BookingRules,
    Identifier,
    InvalidResource,
    Organization,
    Prerequisite,
    PutResources,
    Requirement,
    VisitType,
)
from carewright.directory import model
from carewright.kernel.errors import BadInput
from tests.samples import (
    BUILDING,
    DOCTOR,
    DOCTOR_ROLE,
    ECG,
    HOSPITAL,
    NURSE,
    ROOM,
    SERVICE,
    SITE,
    SMALL_HOSPITAL,
    VISIT,
    known_id,
)

KNOWN = {entry.id: model.target_of(entry) for entry in model.entries_of(SMALL_HOSPITAL)}
ELSEWHERE = replace(SITE, id=known_id(90), site_id=known_id(90))


def broken_field(put: PutResources, stored: model.Targets = KNOWN) -> object:
    """The field that the refusal names."""
    with pytest.raises(InvalidResource) as refused:
        model.ensure_sound(put, stored)
    assert set(refused.value.facts) == {"resource_type", "id", "field"}
    return refused.value.facts["field"]


def test_the_small_hospital_is_sound_by_itself() -> None:
    model.ensure_sound(SMALL_HOSPITAL, {})


def test_entries_may_refer_to_what_is_stored_already() -> None:
    model.ensure_sound(PutResources(visit_types=(VISIT,)), KNOWN)


def test_a_reference_to_nothing_is_refused_with_its_field() -> None:
    assert broken_field(PutResources(visit_types=(VISIT,)), {}) == "healthcare_service_id"


def test_a_reference_to_the_wrong_kind_is_refused() -> None:
    assert broken_field(PutResources(practitioner_roles=(replace(DOCTOR_ROLE, site_ids=(ROOM.id,)),))) == "site_ids"


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "localtime", "+02:00", "", None])
def test_a_site_needs_an_iana_time_zone(zone: str | None) -> None:
    assert broken_field(PutResources(locations=(replace(SITE, time_zone=zone),))) == "time_zone"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"time_zone": "Europe/Paris"}, "time_zone"),
        ({"site_id": ROOM.id}, "site_id"),
        ({"part_of_id": known_id(77)}, "part_of_id"),
        ({"site_id": ELSEWHERE.id}, "part_of_id"),
    ],
)
def test_a_room_lies_within_its_site(changes: dict[str, Any], field: str) -> None:
    assert (
        broken_field(PutResources(locations=(ELSEWHERE, BUILDING, SITE, replace(ROOM, **changes))), {HOSPITAL.id: KNOWN[HOSPITAL.id]})
        == field
    )


def test_a_building_is_not_part_of_a_room_and_a_site_is_part_of_nothing() -> None:
    assert broken_field(PutResources(locations=(replace(BUILDING, part_of_id=ROOM.id),))) == "part_of_id"
    assert broken_field(PutResources(locations=(replace(SITE, part_of_id=ELSEWHERE.id), ELSEWHERE))) == "part_of_id"


def test_a_ward_is_part_of_a_building() -> None:
    model.ensure_sound(PutResources(locations=(replace(BUILDING, id=known_id(91), part_of_id=BUILDING.id),)), KNOWN)


def test_nothing_is_part_of_itself_however_long_the_way() -> None:
    lower, upper = Organization(id=known_id(21), name="Lower", part_of_id=known_id(22)), known_id(22)
    model.ensure_no_circle(PutResources(organizations=(lower,)), {upper: HOSPITAL.id})
    with pytest.raises(InvalidResource):
        model.ensure_no_circle(PutResources(organizations=(lower,)), {upper: HOSPITAL.id, HOSPITAL.id: lower.id})
    with pytest.raises(InvalidResource):
        model.ensure_no_circle(PutResources(locations=(replace(BUILDING, part_of_id=BUILDING.id),)), {})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"duration_minutes": 0}, "requirements.duration_minutes"),
        ({"duration_minutes": 12}, "requirements.duration_minutes"),
        ({"duration_minutes": 35}, "requirements.duration_minutes"),
        ({"offset_minutes": 20, "duration_minutes": 15}, "requirements.duration_minutes"),
        ({"offset_minutes": -5}, "requirements.offset_minutes"),
        ({"offset_minutes": 3}, "requirements.offset_minutes"),
        ({"buffer_before_minutes": -5}, "requirements.buffer_before_minutes"),
        ({"buffer_after_minutes": 245}, "requirements.buffer_after_minutes"),
        ({"count": 0}, "requirements.count"),
        ({"count": 21}, "requirements.count"),
        ({"codes": ("consulting",)}, "requirements.codes"),
        ({"codes": (), "actor_id": ROOM.id, "count": 2}, "requirements.count"),
        ({"actor_id": DOCTOR.id}, "requirements.actor_id"),
    ],
)
def test_a_requirement_fits_its_visit(changes: dict[str, Any], field: str) -> None:
    requirement = replace(Requirement(kind="room", duration_minutes=15), **changes)
    assert broken_field(PutResources(visit_types=(replace(VISIT, requirements=(requirement,)),))) == field


def test_only_what_patients_may_book_is_shown_to_everybody() -> None:
    hidden = replace(VISIT, published=True, rules=replace(VISIT.rules, patient_bookable=False))
    assert broken_field(PutResources(visit_types=(hidden,))) == "published"


def test_a_named_actor_may_be_required() -> None:
    named = Requirement(kind="nurse", actor_id=NURSE.id, duration_minutes=30)
    model.ensure_sound(PutResources(visit_types=(replace(VISIT, requirements=(named,)),)), KNOWN)


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        (BookingRules(grid_minutes=0), "rules.grid_minutes"),
        (BookingRules(grid_minutes=7), "rules.grid_minutes"),
        (BookingRules(grid_minutes=245), "rules.grid_minutes"),
        (BookingRules(lead_minutes=-1), "rules.lead_minutes"),
        (BookingRules(horizon_days=0), "rules.horizon_days"),
        (BookingRules(urgency_tiers=()), "rules.urgency_tiers"),
        (BookingRules(urgency_tiers=("P1", "P1")), "rules.urgency_tiers"),
        (BookingRules(site_ids=(ROOM.id,)), "rules.site_ids"),
        (BookingRules(prerequisites=(Prerequisite(kind="earlier-visit"),)), "rules.prerequisites.visit_type_id"),
        (BookingRules(prerequisites=(Prerequisite(kind="earlier-visit", visit_type_id=VISIT.id),)), "rules.prerequisites.visit_type_id"),
        (BookingRules(prerequisites=(Prerequisite(kind="referral", visit_type_id=VISIT.id),)), "rules.prerequisites.visit_type_id"),
    ],
)
def test_booking_rules_have_limits(rules: BookingRules, field: str) -> None:
    assert broken_field(PutResources(visit_types=(replace(VISIT, rules=rules),))) == field


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (replace(VISIT, duration_minutes=0), "duration_minutes"),
        (replace(VISIT, duration_minutes=1445), "duration_minutes"),
        (replace(VISIT, requirements=()), "requirements"),
        (replace(VISIT, instructions={"in French": "Venez."}), "instructions"),
    ],
)
def test_a_visit_type_has_limits(changed: VisitType, field: str) -> None:
    assert broken_field(PutResources(visit_types=(changed,))) == field


def test_an_id_names_one_thing_for_good() -> None:
    assert broken_field(PutResources(devices=(replace(ECG, id=ROOM.id),))) == "id"
    assert broken_field(PutResources(locations=(replace(ROOM, kind="bed"),))) == "kind"
    assert broken_field(PutResources(locations=(ELSEWHERE, replace(ROOM, site_id=ELSEWHERE.id, part_of_id=None)))) == "site_id"
    assert broken_field(PutResources(practitioner_roles=(replace(DOCTOR_ROLE, practitioner_id=NURSE.id),))) == "practitioner_id"


def test_a_practitioner_may_become_a_nurse() -> None:
    model.ensure_sound(PutResources(practitioners=(replace(DOCTOR, kind="nurse"),)), KNOWN)


def test_an_id_and_an_identifier_come_once_in_a_change() -> None:
    assert broken_field(PutResources(practitioners=(NURSE, NURSE))) == "id"
    shared = (Identifier(system="a", value="b"),)
    twins = tuple(replace(NURSE, id=known_id(number), identifiers=shared) for number in (31, 32))
    assert broken_field(PutResources(practitioners=twins)) == "identifiers"
    model.ensure_sound(PutResources(practitioners=(replace(NURSE, identifiers=shared * 2),)), KNOWN)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"family": "  "}, "family"),
        ({"family": "x" * 201}, "family"),
        ({"given": ("\0",)}, "id"),
        ({"given": ("x" * 33_000,)}, "id"),
        ({"languages": ("english please",)}, "languages"),
        ({"identifiers": (Identifier(system="a", value=""),)}, "identifiers"),
        ({"identifiers": (Identifier(system="a", value="x" * 256),)}, "identifiers"),
    ],
)
def test_every_text_has_its_limit(changes: dict[str, Any], field: str) -> None:
    assert broken_field(PutResources(practitioners=(replace(NURSE, **changes),))) == field


def test_a_device_stands_at_its_site() -> None:
    assert broken_field(PutResources(locations=(ELSEWHERE,), devices=(replace(ECG, site_id=ELSEWHERE.id),))) == "location_id"


def test_a_change_has_a_limit() -> None:
    with pytest.raises(BadInput):
        model.ensure_within_limit(PutResources(organizations=(HOSPITAL,) * 5_001))


def test_entries_are_sorted_and_found_without_case_and_accents() -> None:
    assert model.search_key(DOCTOR) == "nunez, asa"
    assert model.search_key(SERVICE) == "heart clinic\ncardiology"
