"""Build a hospital, step by step, from one generator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

import numpy as np

from carewright.contracts.directory import Organization, PutResources
from carewright.scheduling.model.hours import Hours
from carewright.scheduling.model.ticks import Horizon
from carewright.simulation.hospital.actors import Actor, Sites
from carewright.simulation.hospital.booking import book
from carewright.simulation.hospital.codes import SITE_KEYS
from carewright.simulation.hospital.diagnostics import SHARED_SERVICES
from carewright.simulation.hospital.draw import Draw
from carewright.simulation.hospital.holidays import holidays
from carewright.simulation.hospital.hospital import BookableActor, Hospital
from carewright.simulation.hospital.hours import Period, build_calendars
from carewright.simulation.hospital.openings import build_openings
from carewright.simulation.hospital.patients import build_patients
from carewright.simulation.hospital.places import Places, build_places, identifier
from carewright.simulation.hospital.services import Catalog, Pools, build_catalog, needs_of
from carewright.simulation.hospital.size import FULL, HospitalSize
from carewright.simulation.hospital.specialties import SPECIALTIES
from carewright.simulation.hospital.staff import Staff, build_staff

HOSPITAL_NAME = "Harborview Falls Health"

# Calendars end after the last local day, which is up to half a day later in UTC; the night of the last day reaches into the next.
_DAYS_BEYOND = 2


@dataclass(frozen=True, slots=True)
class _World:
    """Who and what there is, and what is offered."""

    hospital: Organization
    places: Places
    staff: Staff
    actors: list[Actor]
    pools: Pools
    catalog: Catalog


def build_hospital(rng: np.random.Generator, start_on: date, size: HospitalSize = FULL, organization_id: UUID | None = None) -> Hospital:
    """The demonstration hospital. The same state of `rng`, start date, size and organization give the same bytes.

    The first local day of every calendar is `start_on`. Without `organization_id` the tenant's id is drawn too.
    """
    origin = datetime.combine(start_on, time(), UTC)
    draw = Draw(rng, origin)
    world = _world(draw, size, organization_id or draw.uuid())
    sites, actors = world.places.sites, world.actors
    period = Period(start_on, size.days, holidays(start_on, size.days))
    calendars = build_calendars(draw, actors, sites, period)
    openings = build_openings(calendars, sites, period, Horizon(origin=origin, days=size.days + _DAYS_BEYOND))
    patients, groups = build_patients(draw, size.patients, start_on)
    return Hospital(
        organization_id=world.hospital.id,
        start_on=start_on,
        size=size,
        origin=origin,
        site_ids=tuple(sites[key].id for key in SITE_KEYS),
        directory=_directory(world),
        actors=_bookable(actors, calendars, sites),
        patients=patients,
        openings=openings,
        appointments=book(draw, world.catalog.offers, world.pools, openings, groups, period, size),
    )


def _world(draw: Draw, size: HospitalSize, organization_id: UUID) -> _World:
    hospital = Organization(id=organization_id, name=HOSPITAL_NAME, identifiers=identifier("organization", 1))
    specialties = SPECIALTIES[: size.specialties]
    services = [*(specialty.service for specialty in specialties), *SHARED_SERVICES[: size.shared_services]]
    needed = needs_of(services)
    places = build_places(draw, size, organization_id, needed)
    staff = build_staff(draw, size, places, specialties, needed)
    actors = [*staff.actors, *places.actors]
    pools = Pools(actors)
    return _World(hospital, places, staff, actors, pools, build_catalog(draw, services, pools, places.sites))


def _directory(world: _World) -> PutResources:
    return PutResources(
        organizations=(world.hospital,),
        locations=tuple(world.places.locations),
        practitioners=tuple(world.staff.practitioners),
        practitioner_roles=tuple(world.staff.roles),
        devices=tuple(world.places.devices),
        healthcare_services=world.catalog.services,
        visit_types=tuple(offer.visit_type for offer in world.catalog.offers),
    )


def _bookable(actors: Sequence[Actor], calendars: Sequence[Hours], sites: Sites) -> tuple[BookableActor, ...]:
    return tuple(
        BookableActor(
            schedule_id=actor.id,
            kind=actor.kind,
            display=actor.display,
            codes=tuple(sorted(actor.codes)),
            site_ids=tuple(sites[key].id for key in actor.sites),
            weekly=calendar.weekly,
            exceptions=calendar.exceptions,
            leave=calendar.leave,
        )
        for actor, calendar in zip(actors, calendars, strict=True)
    )
