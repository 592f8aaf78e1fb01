"""Loads the demonstration hospital through the modules that own its tables."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from carewright.contracts.scheduling import ClaimedTime, Participant
from carewright.directory import service as directory
from carewright.kernel import migrate, outbox
from carewright.kernel.sql import load
from carewright.patients import service as patients
from carewright.roles.installation import Installation
from carewright.roles.lifecycle import NOBODY, System, running
from carewright.roles.registry import MODULES
from carewright.roles.relay import system_actor
from carewright.scheduling.model.actors import actor_of_device, actor_of_location, actor_of_practitioner
from carewright.scheduling.model.hours import NO_HOURS, Hours
from carewright.scheduling.service.load import Booked, Load, bulk_load
from carewright.simulation.hospital.build import build_hospital
from carewright.simulation.hospital.hospital import Hospital
from carewright.simulation.hospital.size import FULL, TINY

Q = load("carewright.kernel")
SIZES = {"full": FULL, "tiny": TINY}
LOADING = "demonstration hospital, loading"
"""The name of a consumer that exists only while loading: whoever finds it knows that a load was broken off."""


def build(seed: int, start_on: date, size: str) -> Hospital:
    """The hospital of a seed, in memory."""
    return build_hospital(np.random.default_rng(seed), start_on, SIZES[size])


async def load_demo(sections: Mapping[str, Any], hospital: Hospital, told: Callable[[str], None]) -> Installation:
    """Store `hospital` in an empty database and return what a person needs to try it."""
    core = [module for module in MODULES if module.has_tables]
    async with running(core, sections) as system:
        db = system.context("scheduling").db
        place = await outbox.end_of_log(db)
        await db.execute(Q.move_consumer, LOADING, str(place[0]), 0, system.context("scheduling").clock.now())
        await _load(system, hospital, told)
        end = await outbox.end_of_log(db)
        for name in system.relays:  # the copies were loaded with the rest: nothing in the log is news to them
            await db.execute(Q.move_consumer, name, str(end[0]), 0, system.context("scheduling").clock.now())
        await db.execute(Q.forget_consumer, LOADING)
    return Installation(organization_id=hospital.organization_id, demonstration_patient_id=example_patient(hospital))


async def was_broken_off(sections: Mapping[str, Any]) -> bool:
    """Whether an earlier load ended half-way."""
    core = [module for module in MODULES if module.name == "scheduling"]
    async with running(core, sections) as system:
        return await system.context("scheduling").db.fetch_one(Q.consumer_place, LOADING) is not None


async def clear(sections: Mapping[str, Any]) -> None:
    """Empty every table, after a load that was broken off."""
    await migrate.empty(sections["system"].database_url, ["kernel", *(module.name for module in MODULES if module.has_tables)])


def example_patient(hospital: Hospital) -> UUID:
    """The demonstration patient: the first who has an appointment."""
    return hospital.patients.uuids[int(hospital.appointments.patient[0])]


async def _load(system: System, hospital: Hospital, told: Callable[[str], None]) -> None:
    told("directory")
    async with _acting(system, "directory", hospital).db.transaction() as tx:
        await directory.bulk_load(_acting(system, "directory", hospital), tx, hospital.directory)
    told(f"{len(hospital.patients):,} patients")
    async with _acting(system, "patients", hospital).db.transaction() as tx:
        await patients.bulk_load(_acting(system, "patients", hospital), tx, list(hospital.patients.structs()))
    told(f"calendars, {len(hospital.appointments):,} appointments")
    async with _acting(system, "scheduling", hospital).db.transaction() as tx:
        await bulk_load(_acting(system, "scheduling", hospital), tx, _calendars(hospital))


def _acting(system: System, module: str, hospital: Hospital) -> Any:
    return system.context(module).acting(system_actor(NOBODY, hospital.organization_id))


def _calendars(hospital: Hospital) -> Load:
    resources = hospital.directory
    services = {service.id: service for service in resources.healthcare_services}
    hours = {each.schedule_id: Hours(weekly=each.weekly, exceptions=each.exceptions, leave=each.leave) for each in hospital.actors}
    return Load(
        sites=[location for location in resources.locations if location.kind == "site"],
        visit_types=[(each, services[each.healthcare_service_id]) for each in resources.visit_types],
        actors=[(actor, hours.get(actor.id, NO_HOURS)) for actor in _actors(hospital)],
        materialised_on=hospital.start_on + timedelta(days=hospital.size.days - 1),
        patient_ids=hospital.patients.uuids,
        openings=hospital.opening_records(),
        appointments=_booked(hospital),
        claims=((appointment_id, _claimed(schedule, start, end)) for schedule, start, end, appointment_id in hospital.claim_records()),
    )


def _actors(hospital: Hospital) -> Iterator[Any]:
    resources = hospital.directory
    roles: dict[UUID, list[Any]] = {}
    for role in resources.practitioner_roles:
        roles.setdefault(role.practitioner_id, []).append(role)
    yield from (actor_of_practitioner(person, roles.get(person.id, ())) for person in resources.practitioners)
    yield from (actor for location in resources.locations if (actor := actor_of_location(location)) is not None)
    yield from (actor for device in resources.devices if (actor := actor_of_device(device)) is not None)


def _booked(hospital: Hospital) -> Iterator[Booked]:
    for (
        appointment_id,
        status,
        visit_type_id,
        site_id,
        patient_id,
        start,
        end,
        urgency,
        based_on,
        participants,
    ) in hospital.appointment_records():
        people = [
            Participant(kind=kind, actor_id=actor_id, claimed_from=claimed_from, claimed_to=claimed_to)
            for kind, actor_id, claimed_from, claimed_to in participants
        ]
        yield Booked(appointment_id, status, visit_type_id, site_id, patient_id, start, end, urgency, based_on, people)


def _claimed(schedule_id: UUID, start: Any, end: Any) -> ClaimedTime:
    return ClaimedTime(schedule_id=schedule_id, lane=0, start=start, end=end)
