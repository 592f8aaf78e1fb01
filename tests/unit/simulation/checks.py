"""What must hold for any hospital, checked from its rows and contract values alone, without the code that made them."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

import numpy as np
import numpy.typing as npt

from carewright.contracts.directory import Requirement, VisitType
from carewright.simulation.hospital import Hospital

Flags = npt.NDArray[np.bool_]
TICK = timedelta(minutes=5)
MIDNIGHT_LATEST = 6 * 12
"""No site's local day begins later than 06:00 UTC."""


def overlapping_claims(hospital: Hospital) -> int:
    """How many claims begin before an earlier one of the same schedule has ended."""
    claims = hospital.appointments.claims
    order = np.lexsort((claims.end, claims.start, claims.schedule))
    schedule, start, end = claims.schedule[order], claims.start[order], claims.end[order]
    return int(((schedule[1:] == schedule[:-1]) & (start[1:] < end[:-1])).sum())


def claims_outside_openings(hospital: Hospital) -> int:
    """How many claims of actors do not lie within one opening at the appointment's site."""
    openings, claims = hospital.openings, hospital.appointments.claims
    ours = claims.schedule < len(hospital.actors)
    site = hospital.appointments.site[claims.appointment[ours]]
    base = int(openings.end.max()) + 1
    order = np.lexsort((openings.start, openings.site, openings.actor))
    opened = ((openings.actor * 8 + openings.site) * base + openings.start)[order]
    wanted = (claims.schedule[ours] * 8 + site) * base
    at = np.searchsorted(opened, wanted + claims.start[ours], side="right") - 1
    same = (openings.actor[order][at] == claims.schedule[ours]) & (openings.site[order][at] == site)
    inside = same & (openings.start[order][at] <= claims.start[ours]) & (claims.end[ours] <= openings.end[order][at])
    return int((~inside).sum())


def wrong_participants(hospital: Hospital, most: int) -> list[str]:
    """What about the participants of the first appointments, `most` at the most, differs from what their visit types ask for."""
    actors = {actor.schedule_id: actor for actor in hospital.actors}
    visit_types = {each.id: each for each in hospital.directory.visit_types}
    faults = []
    for _, _, type_id, site_id, patient_id, start, end, urgency, referral, people in islice(hospital.appointment_records(), most):
        visit = visit_types[type_id]
        asked = list(places_of(visit))
        *present, patient = people
        wanted_patient = ("patient", patient_id, start, start + timedelta(minutes=visit.duration_minutes))
        if (
            patient != wanted_patient
            or end != wanted_patient[3]
            or len(present) != len(asked)
            or len({each[1] for each in people}) != len(people)
        ):
            faults.append(f"{visit.name}: other people than asked for")
        if site_id not in visit.rules.site_ids or urgency not in visit.rules.urgency_tiers:
            faults.append(f"{visit.name}: not offered like this")
        if (referral is not None) != any(each.kind == "referral" for each in visit.rules.prerequisites):
            faults.append(f"{visit.name}: referral")
        for (kind, actor_id, claimed_from, claimed_to), need in zip(present, asked, strict=False):
            actor = actors[actor_id]
            able = actor.kind == kind == need.kind and set(need.codes) <= set(actor.codes) and site_id in actor.site_ids
            begin = start + timedelta(minutes=need.offset_minutes - need.buffer_before_minutes)
            length = need.buffer_before_minutes + need.duration_minutes + need.buffer_after_minutes
            if not able or claimed_from != begin or claimed_to != begin + timedelta(minutes=length):
                faults.append(f"{visit.name}: {actor.display} for {need.label}")
    return faults


def places_of(visit: VisitType) -> Iterator[Requirement]:
    """Each actor that a visit asks for."""
    for requirement in visit.requirements:
        yield from [requirement] * requirement.count


def unbookable(hospital: Hospital, days: int) -> list[str]:
    """Visit types that at one of their sites no free combination serves within `days`, their lead time and their horizon kept."""
    free = _free_at_sites(hospital, days)
    fits: dict[tuple[tuple[int, ...], int], npt.NDArray[np.int64]] = {}
    missing = []
    for visit in hospital.directory.visit_types:
        for site_id in visit.rules.site_ids:
            open_starts = _starts(visit, free.shape[1])
            for need in visit.requirements:
                length = (need.buffer_before_minutes + need.duration_minutes + need.buffer_after_minutes) // 5
                key = (_pool(hospital, need, hospital.site_ids.index(site_id)), length)
                if key not in fits:
                    fits[key] = _fitting(free[list(key[0])], length).sum(axis=0)
                shift = (need.offset_minutes - need.buffer_before_minutes) // 5
                open_starts &= np.roll(fits[key], -shift) >= need.count
            if not open_starts.any():
                missing.append(f"{visit.name} at {hospital.site_ids.index(site_id)}")
    return missing


def empty_pools(hospital: Hospital) -> list[str]:
    """Requirements for which an allowed site has too few actors."""
    return [
        f"{visit.name} at {hospital.site_ids.index(site_id)}: {need.label}"
        for visit in hospital.directory.visit_types
        for site_id in visit.rules.site_ids
        for need in visit.requirements
        if len(_pool(hospital, need, hospital.site_ids.index(site_id))) < need.count
    ]


def _pool(hospital: Hospital, need: Requirement, site: int) -> tuple[int, ...]:
    """Rows of `_free_at_sites` that can serve a need at a site."""
    return tuple(
        number * len(hospital.site_ids) + site
        for number, actor in enumerate(hospital.actors)
        if actor.kind == need.kind and set(need.codes) <= set(actor.codes) and hospital.site_ids[site] in actor.site_ids
    )


def _free_at_sites(hospital: Hospital, days: int) -> Flags:
    """For each actor and site which ticks are open there and taken nowhere."""
    ticks, sites, actors = days * 288, len(hospital.site_ids), len(hospital.actors)
    openings, claims = hospital.openings, hospital.appointments.claims
    opened = _painted(openings.actor * sites + openings.site, openings.start, openings.end, actors * sites, ticks)
    ours = claims.schedule < actors
    taken = _painted(claims.schedule[ours], claims.start[ours], claims.end[ours], actors, ticks)
    return opened & ~np.repeat(taken, sites, axis=0)


def _painted(row: npt.NDArray[np.int64], start: npt.NDArray[np.int64], end: npt.NDArray[np.int64], rows: int, ticks: int) -> Flags:
    depth = np.zeros((rows, ticks + 1), np.int8)
    np.add.at(depth, (row, np.minimum(start, ticks)), 1)
    np.subtract.at(depth, (row, np.minimum(end, ticks)), 1)
    return np.cumsum(depth, axis=1, dtype=np.int8)[:, :ticks] > 0


def _fitting(free: Flags, length: int) -> Flags:
    """At which ticks `length` free ones begin."""
    total = np.concatenate([np.zeros((len(free), 1), np.int32), np.cumsum(free, axis=1, dtype=np.int32)], axis=1)
    result = np.zeros(free.shape, np.bool_)
    result[:, : free.shape[1] - length + 1] = total[:, length:] - total[:, : total.shape[1] - length] == length
    return result


def _starts(visit: VisitType, ticks: int) -> Flags:
    """The ticks at which a visit may begin. Zones of the sites are whole hours from UTC, so a grid on the wall is one in UTC."""
    allowed = np.zeros(ticks, np.bool_)
    first = -(-(MIDNIGHT_LATEST + visit.rules.lead_minutes // 5) // 3) * 3
    allowed[-(-first // (visit.rules.grid_minutes // 5)) * (visit.rules.grid_minutes // 5) :: visit.rules.grid_minutes // 5] = True
    allowed[visit.rules.horizon_days * 288 :] = False
    return allowed
