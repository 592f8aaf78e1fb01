"""From plans to the directory: healthcare services and visit types, offered where somebody can serve every requirement."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from carewright.contracts.directory import BookingRules, HealthcareService, Prerequisite, Requirement, VisitType
from carewright.simulation.hospital.actors import Actor, Sites
from carewright.simulation.hospital.codes import SITE_KEYS, SiteKey
from carewright.simulation.hospital.draw import Draw
from carewright.simulation.hospital.instructions import instructions
from carewright.simulation.hospital.plan import Need, Service, Visit

Pool = tuple[int, ...]


class Pools:
    """Which actors (by number) can serve a need at a site; the same tuple for the same question."""

    def __init__(self, actors: Sequence[Actor]) -> None:
        self.actors = actors
        self._known: dict[tuple[str, tuple[str, ...], SiteKey], Pool] = {}

    def of(self, need: Need, site: SiteKey) -> Pool:
        """Everybody of the need's kind who carries all its codes and works at the site."""
        key = (need.kind, need.codes, site)
        if key not in self._known:
            wanted = frozenset(need.codes)
            self._known[key] = tuple(
                number
                for number, actor in enumerate(self.actors)
                if actor.kind == need.kind and site in actor.sites and wanted <= actor.codes
            )
        return self._known[key]

    def serve(self, visit: Visit, site: SiteKey) -> bool:
        """Whether every need of the visit has enough actors at the site."""
        return all(len(self.of(need, site)) >= need.count for need in visit.needs)


@dataclass(frozen=True, slots=True)
class Offer:
    """A visit as it is offered: the plan, cut down to the sites that can serve it, and the directory's visit type."""

    visit: Visit
    visit_type: VisitType


@dataclass(frozen=True, slots=True)
class Catalog:
    """All services, and all visits in a fixed order."""

    services: tuple[HealthcareService, ...]
    offers: tuple[Offer, ...]


def needs_of(services: Sequence[Service]) -> frozenset[str]:
    """Every code that some visit of the services asks for."""
    return frozenset(code for service in services for visit in service.visits for need in visit.needs for code in need.codes)


def build_catalog(draw: Draw, services: Sequence[Service], pools: Pools, sites: Sites) -> Catalog:
    """The services with those of their visits that somebody can serve somewhere."""
    made, offers = [], []
    for service in services:
        visits = [_where_served(visit, pools) for visit in service.visits]
        visits = [visit for visit in visits if visit.sites]
        keys = [key for key in SITE_KEYS if any(key in visit.sites for visit in visits)]
        entry = HealthcareService(
            id=draw.uuid(),
            name=service.name,
            specialty=service.specialty,
            site_ids=tuple(sites[key].id for key in keys),
            description=service.description,
        )
        made.append(entry)
        offers += [Offer(visit, _visit_type(draw.uuid(), entry.id, visit, sites)) for visit in visits]
    return Catalog(tuple(made), tuple(offers))


def _where_served(visit: Visit, pools: Pools) -> Visit:
    return replace(visit, sites=tuple(key for key in visit.sites if pools.serve(visit, key)))


def _visit_type(type_id: UUID, service_id: UUID, visit: Visit, sites: Sites) -> VisitType:
    referral = (Prerequisite(kind="referral", text="A referral from your doctor is needed."),) if visit.referral else ()
    return VisitType(
        id=type_id,
        healthcare_service_id=service_id,
        name=visit.name,
        duration_minutes=visit.minutes,
        requirements=tuple(_requirement(need, visit) for need in visit.needs),
        rules=BookingRules(
            grid_minutes=visit.grid,
            lead_minutes=visit.lead_minutes,
            horizon_days=visit.horizon_days,
            site_ids=tuple(sites[key].id for key in visit.sites),
            urgency_tiers=visit.tiers,
            prerequisites=referral,
            patient_bookable=visit.patient_bookable,
            needs_confirmation=visit.confirm,
        ),
        instructions=instructions(visit.instructions),
        published=visit.patient_bookable and not visit.referral,
    )


def minutes_of(need: Need, visit: Visit) -> int:
    """How long a need lasts, buffers apart."""
    return visit.minutes - need.offset if need.minutes is None else need.minutes


def _requirement(need: Need, visit: Visit) -> Requirement:
    return Requirement(
        kind=need.kind,
        codes=need.codes,
        count=need.count,
        offset_minutes=need.offset,
        duration_minutes=minutes_of(need, visit),
        buffer_before_minutes=need.before,
        buffer_after_minutes=need.after,
        label=need.label,
    )
