"""Stores a hospital through the modules that own its tables."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import islice, takewhile
from typing import Any
from uuid import UUID

import numpy as np

from carewright.contracts.scheduling import AppointmentFact, ClaimedTime, Participant
from carewright.directory import service as directory
from carewright.flow.store import queue as flow
from carewright.flow.store import rooms
from carewright.flow.store.copied import copy_appointments
from carewright.patients.service import records as patients
from carewright.scheduling.model.actors import actor_of_device, actor_of_location, actor_of_practitioner
from carewright.scheduling.model.hours import NO_HOURS, Hours
from carewright.scheduling.service.load import Booked, Load, bulk_load
from carewright.simulation.hospital.build import build_hospital
from carewright.simulation.hospital.hospital import Hospital
from carewright.simulation.hospital.size import FULL, TINY

FLOW_DAYS = 14
"""For so long flow knows the appointments of a demonstration, a fifth of them: it is tried in its first days."""
SIZES = {"full": FULL, "tiny": TINY}


def hospital_of(seed: int, start_on: date, size: str) -> Hospital:
    """The hospital of a seed, in memory; `size` is one of `SIZES`."""
    return build_hospital(np.random.default_rng(seed), start_on, SIZES[size])


def example_patient(hospital: Hospital) -> UUID:
    """The demonstration patient: the first who has an appointment, and a telephone to which a code can be sent."""
    numbers = hospital.appointments.patient
    return hospital.patients.uuids[int(numbers[hospital.patients.phone[numbers] >= 0][0])]


async def store(hospital: Hospital, context_of: Callable[[str], Any], told: Callable[[str], None]) -> None:
    """Fill an empty tenant. `context_of(module)` is the context in which a module works for that tenant."""
    told("directory")
    async with context_of("directory").db.transaction() as tx:
        await directory.bulk_load(context_of("directory"), tx, hospital.directory)
    told(f"{len(hospital.patients):,} patients and {len(hospital.appointments):,} appointments")
    async with asyncio.TaskGroup() as parts:
        parts.create_task(_store_patients(context_of("patients"), hospital))
        parts.create_task(bulk_load(context_of("scheduling"), _calendars(hospital)))
        parts.create_task(_tell_flow(context_of("flow"), hospital))


async def _store_patients(context: Any, hospital: Hospital) -> None:
    async with context.db.transaction() as tx:
        await patients.bulk_load(context, tx, hospital.patients.structs())


async def _tell_flow(context: Any, hospital: Hospital) -> None:
    """Flow's own copy of the catalogue and of the appointments of the first days, which events bring later on."""
    services = {service.id: service for service in hospital.directory.healthcare_services}
    async with context.db.transaction() as tx:
        for place in hospital.directory.locations:
            if place.kind == "site":
                await flow.put_site(tx, context.actor.organization_id, place)
            elif place.kind != "building":
                await rooms.put_place(tx, context.actor.organization_id, place)
        for device in hospital.directory.devices:
            await rooms.put_device(tx, context.actor.organization_id, device)
        for each in hospital.directory.visit_types:
            await flow.put_visit_type(tx, context.actor.organization_id, each, services[each.healthcare_service_id].name)
        await copy_appointments(tx, context.actor.organization_id, list(_facts(hospital)))


def _calendars(hospital: Hospital) -> Load:
    resources = hospital.directory
    services = {service.id: service for service in resources.healthcare_services}
    half = len(hospital.appointments.claims) // 2
    hours = {each.schedule_id: Hours(weekly=each.weekly, exceptions=each.exceptions, leave=each.leave) for each in hospital.actors}
    return Load(
        sites=[location for location in resources.locations if location.kind == "site"],
        visit_types=[(each, services[each.healthcare_service_id]) for each in resources.visit_types],
        actors=[(actor, hours.get(actor.id, NO_HOURS)) for actor in _actors(hospital)],
        materialised_on=hospital.start_on + timedelta(days=hospital.size.days - 1),
        patient_ids=hospital.patients.uuids,
        openings=hospital.opening_records(),
        appointments=_booked(hospital),
        claims=[islice(hospital.claim_records(), half), islice(hospital.claim_records(), half, None)],
    )


def _actors(hospital: Hospital) -> Iterator[Any]:
    resources = hospital.directory
    roles: dict[UUID, list[Any]] = {}
    for role in resources.practitioner_roles:
        roles.setdefault(role.practitioner_id, []).append(role)
    yield from (actor_of_practitioner(person, roles.get(person.id, ())) for person in resources.practitioners)
    yield from (actor for location in resources.locations if (actor := actor_of_location(location)) is not None)
    yield from (actor for device in resources.devices if (actor := actor_of_device(device)) is not None)


def _facts(hospital: Hospital) -> Iterator[AppointmentFact]:
    """What an event of each appointment of the first `FLOW_DAYS` days would say."""
    until = hospital.origin + timedelta(days=FLOW_DAYS)
    first = takewhile(lambda record: record[5] < until, hospital.appointment_records())
    for id_, status, visit_type_id, site_id, patient_id, start, end, urgency, _, people in first:
        yield AppointmentFact(
            organization_id=hospital.organization_id, appointment_id=id_, version=1, status=status, visit_type_id=visit_type_id,
            site_id=site_id, patient_id=patient_id, start=start, end=end, urgency=urgency,
            practitioner_ids=tuple(actor_id for kind, actor_id, _, _ in people if kind == "practitioner"),
            claims=tuple(ClaimedTime(schedule_id=actor_id, lane=0, start=begin, end=over) for _, actor_id, begin, over in people),
        )  # fmt: skip


def _booked(hospital: Hospital) -> Iterator[Booked]:
    for record in hospital.appointment_records():
        people = [
            Participant(kind=kind, actor_id=actor_id, claimed_from=claimed_from, claimed_to=claimed_to)
            for kind, actor_id, claimed_from, claimed_to in record[9]
        ]
        yield Booked(*record[:9], people)
