import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, time
from itertools import islice
from uuid import UUID

import msgspec
import numpy as np
import pytest

from carewright.contracts.directory import PutResources
from carewright.directory.model import ensure_sound
from carewright.patients import model as patients_model
from carewright.simulation.hospital import FULL, TINY, BookableActor, Hospital, HospitalSize, build_hospital, summarise
from carewright.simulation.hospital.diagnostics import SHARED_SERVICES
from carewright.simulation.hospital.people import GENDERS
from carewright.simulation.hospital.specialties import SPECIALTIES
from carewright.simulation.hospital.storing import example_patient
from tests.unit.simulation.checks import (
    claims_outside_openings,
    empty_pools,
    overlapping_claims,
    unbookable,
    wrong_participants,
)

# Both clock changes are far away from the first date; the second period has one, on 14 March 2027.
WINTER, SPRING = date(2026, 11, 23), date(2027, 2, 1)
SEARCH_DAYS = 90


def built(seed: int, size: HospitalSize = TINY, start_on: date = WINTER) -> Hospital:
    return build_hospital(np.random.default_rng(seed), start_on, size)


@pytest.fixture(scope="module")
def full() -> Hospital:
    return built(1, FULL, SPRING)


@pytest.fixture(scope="module", params=["tiny", "full"])
def hospital(request: pytest.FixtureRequest) -> Hospital:
    return built(1) if request.param == "tiny" else request.getfixturevalue("full")


def test_the_demonstration_patient_can_be_sent_a_code_and_is_nobody_elses_double(hospital: Hospital) -> None:
    patients, example = hospital.patients, hospital.patients.uuids.index(example_patient(hospital))
    assert patients.phone[example] >= 0
    alike = (patients.phone == patients.phone[example]) & (patients.birth_day == patients.birth_day[example])
    assert alike.sum() == 1, "of two who share telephone and birth date neither can sign in by code"
    assert example in hospital.appointments.patient


def test_the_same_seed_gives_the_same_hospital_to_the_byte() -> None:
    assert built(7).digest() == built(7).digest()


def test_another_process_with_other_hashes_builds_the_same_hospital() -> None:
    program = (
        "import numpy, datetime; from carewright.simulation.hospital import *;"
        "print(build_hospital(numpy.random.default_rng(7), datetime.date(2026, 11, 23), TINY).digest())"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": "3"}, capture_output=True, text=True, check=True
    )
    assert elsewhere.stdout.strip() == built(7).digest()


def test_another_seed_or_another_date_gives_another_hospital() -> None:
    digests = {built(7).digest(), built(8).digest(), built(7, start_on=SPRING).digest()}
    assert len(digests) == 3


def test_the_tenant_may_be_named() -> None:
    named = UUID("01900000-0000-7000-8000-000000000001")
    hospital = build_hospital(np.random.default_rng(1), WINTER, TINY, organization_id=named)
    assert hospital.organization_id == hospital.directory.organizations[0].id == named


def test_nobody_and_nothing_is_in_two_places_at_once(hospital: Hospital) -> None:
    assert overlapping_claims(hospital) == 0


def test_all_work_lies_inside_working_hours_at_the_appointments_site(hospital: Hospital) -> None:
    assert claims_outside_openings(hospital) == 0


def test_appointments_have_the_actors_that_their_visit_type_asks_for(hospital: Hospital) -> None:
    assert wrong_participants(hospital, most=15_000) == []


def test_every_requirement_has_a_pool_at_every_allowed_site(hospital: Hospital) -> None:
    assert empty_pools(hospital) == []


def test_every_visit_type_can_still_be_booked_at_every_allowed_site(hospital: Hospital) -> None:
    assert unbookable(hospital, min(hospital.size.days, SEARCH_DAYS)) == []


def test_every_appointment_has_one_claim_for_each_participant_and_none_beyond(hospital: Hospital) -> None:
    appointments, claims = hospital.appointments, hospital.appointments.claims
    places = np.array([sum(need.count for need in visit.requirements) for visit in hospital.directory.visit_types])
    assert np.array_equal(np.bincount(claims.appointment, minlength=len(appointments)), places[appointments.visit_type] + 1)
    assert len(np.unique(claims.schedule * len(appointments) + claims.appointment)) == len(claims)


def test_claim_rows_come_sorted_by_schedule_and_start(hospital: Hospital) -> None:
    claims = hospital.appointments.claims.by_schedule
    assert np.all(np.diff(claims.schedule * 10**6 + claims.start) > 0)


def test_the_modules_accept_the_directory_and_the_patients(hospital: Hospital) -> None:
    ensure_sound(hospital.directory, {})
    some = list(islice(hospital.patients.structs(), 5_000))
    patients_model.ensure_sound(some, datetime.combine(hospital.start_on, time(), UTC))


def test_values_survive_json(hospital: Hospital) -> None:
    raw = msgspec.json.encode((hospital.directory, hospital.actors))
    assert msgspec.json.decode(raw, type=tuple[PutResources, tuple[BookableActor, ...]]) == (hospital.directory, hospital.actors)


def test_ids_are_unique_uuids_of_version_7(hospital: Hospital) -> None:
    ids = [*hospital.registry.schedules, *hospital.registry.visit_types, *hospital.registry.sites, *hospital.appointments.uuids]
    assert len(set(ids)) == len(ids)
    assert {(each.version, each.variant) for each in ids} == {(7, "specified in RFC 4122")}
    assert hospital.appointments.uuids == sorted(hospital.appointments.uuids)


def test_all_minutes_are_multiples_of_five(hospital: Hospital) -> None:
    minutes = {
        minute
        for visit in hospital.directory.visit_types
        for need in visit.requirements
        for minute in (
            visit.duration_minutes,
            visit.rules.grid_minutes,
            need.offset_minutes,
            need.duration_minutes,
            need.buffer_before_minutes,
            need.buffer_after_minutes,
        )
    }
    minutes |= {minute for actor in hospital.actors for each in actor.weekly for minute in (each.start_minute, each.end_minute)}
    assert {minute % 5 for minute in minutes} == {0}
    assert {(instant.minute % 5, instant.second) for instant in hospital.registry.instants} == {(0, 0)}


def test_everybody_is_invented_and_cannot_be_called(hospital: Hospital) -> None:
    numbers = re.compile(r"\+1-\d{3}-555-01\d\d")
    for _, family, given, _, _, _, phone, email, _ in hospital.patient_records():
        assert family
        assert given
        assert phone is None or numbers.fullmatch(phone)
        assert email is None or (email.isascii() and email.endswith("@example.org"))
    assert all(site.phone is None or numbers.fullmatch(site.phone) for site in hospital.directory.locations)


def test_children_go_to_pediatrics_and_women_to_mammography(full: Hospital) -> None:
    services = {service.id: service.name for service in full.directory.healthcare_services}
    visits = full.directory.visit_types
    pediatric = np.array([services[each.healthcare_service_id] == "Pediatrics" for each in visits])
    mammogram = np.array([each.name == "Screening mammogram" for each in visits])
    years = ((full.start_on - date(1970, 1, 1)).days - full.patients.birth_day) / 365.25
    appointments = full.appointments
    children = appointments.patient[pediatric[appointments.visit_type]]
    women = appointments.patient[mammogram[appointments.visit_type]]
    assert len(children) > 1_000
    assert years[children].max() < 18
    assert len(women) > 1_000
    assert years[women].min() > 39.9
    assert {GENDERS[number] for number in full.patients.people.gender[women].tolist()} == {"female"}


def test_the_full_hospital_has_the_size_that_was_asked_for(full: Hospital) -> None:
    counts = summarise(full).counts
    expected = {"sites": 3, "rooms": 260, "beds": 1_200, "lab benches": 8, "devices": 120, "practitioners": 320, "patients": 120_000}
    assert expected.items() <= counts.items()
    assert counts["nurses"] + counts["technicians"] == 400
    specialties = {coding.code for role in full.directory.practitioner_roles for coding in role.specialties}
    assert len(specialties) == len(SPECIALTIES) == 40


def test_no_planned_visit_is_left_out_of_the_full_hospital(full: Hospital) -> None:
    services = [*(specialty.service for specialty in SPECIALTIES), *SHARED_SERVICES]
    planned = [visit.name for service in services for visit in service.visits]
    assert [each.name for each in full.directory.visit_types] == planned


def test_practitioners_calendars_are_about_70_percent_full(full: Hospital) -> None:
    summary = summarise(full)
    assert 0.66 < summary.fill["practitioner"] < 0.74
    assert 4_300 < summary.per_workday < 4_700
    assert summary.by_weekday[0] > summary.per_workday > summary.by_weekday[4]
    assert summary.by_weekday[5] < 0.3 * summary.per_workday
    assert summary.fill_by_week[0] > summary.fill_by_week[-1] + 0.1


def test_a_tiny_hospital_is_filled_as_well() -> None:
    assert 0.6 < summarise(built(1)).fill["practitioner"] < 0.8


def test_most_appointments_are_booked_and_some_await_confirmation(full: Hospital) -> None:
    statuses = summarise(full).statuses
    assert statuses["booked"] > 0.99 * len(full.appointments)
    assert statuses["pending"] > 100


def test_sites_lie_in_two_zones_and_some_practitioners_work_at_two_on_different_weekdays(full: Hospital) -> None:
    assert Counter(site.time_zone for site in full.directory.locations if site.kind == "site") == {
        "America/New_York": 2,
        "America/Chicago": 1,
    }
    travelling = [actor for actor in full.actors if len(actor.site_ids) == 2]
    assert len(travelling) > 10
    for actor in travelling:
        days = [{each.weekday for each in actor.weekly if each.site_id == site} for site in actor.site_ids]
        assert days[0]
        assert days[1]
        assert not days[0] & days[1]


def test_everybody_has_a_break_and_emergency_works_through_midnight(full: Hospital) -> None:
    assert all(actor.weekly for actor in full.actors)
    clinicians = [actor for actor in full.actors if actor.kind in {"practitioner", "nurse"}]
    assert all(max(Counter(each.weekday for each in actor.weekly).values()) >= 2 for actor in clinicians)
    nights = [actor for actor in full.actors if actor.kind == "practitioner" and any(each.end_minute > 1440 for each in actor.weekly)]
    assert nights


def test_holidays_close_the_clinics(full: Hospital) -> None:
    closed = {day.on for actor in full.actors for day in actor.exceptions if day.kind == "closed"}
    assert set(summarise(full).holidays) <= closed
    assert date(2027, 2, 15) in summarise(full).holidays


def test_instructions_are_there_in_english_and_spanish(full: Hospital) -> None:
    assert {frozenset(each.instructions) for each in full.directory.visit_types} == {frozenset({"en", "es"})}


def test_the_summary_reads_as_text(full: Hospital) -> None:
    text = str(summarise(full))
    assert "1,200  beds" in text
    assert "120,000  patients" in text
