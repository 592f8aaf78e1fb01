"""Fill the calendars: from full days laid out, to the visits wanted, to visits with all their actors, to appointments with patients."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from carewright.contracts.directory import UrgencyTier
from carewright.simulation.hospital.appointments import URGENCIES, Appointments, Claims
from carewright.simulation.hospital.arrays import TICKS_PER_DAY, Flags, Floats, Ints, ints
from carewright.simulation.hospital.attendance import Crowd, Visits, attend
from carewright.simulation.hospital.bookable import Bookable, BookableColumns, bookables, columns_of
from carewright.simulation.hospital.demand import appetite, scaled
from carewright.simulation.hospital.draw import Draw
from carewright.simulation.hospital.hours import Period
from carewright.simulation.hospital.layout import Candidates, lay_out
from carewright.simulation.hospital.openings import Openings
from carewright.simulation.hospital.packing import Packed, Wanted, pack
from carewright.simulation.hospital.patients import GROUPS, PatientGroups
from carewright.simulation.hospital.plan import Visit
from carewright.simulation.hospital.services import Offer, Pools
from carewright.simulation.hospital.size import HospitalSize

# Local days begin five hours after UTC's, give or take one: near enough to say how full a day should be.
_DAY_BEGINS = 5 * 12
_UNCONFIRMED = 0.25
_URGENT: tuple[tuple[UrgencyTier, float], ...] = (("P1", 0.12), ("P0", 0.02))
# Of the wanted visits so many find no room or nurse, and no visit of the same service can stand in for them.
_LOST = 0.012
# Stretches of an hour and a half in which visits tend to be taken or left together.
_BLOCK, _WITH_NEIGHBOURS, _FAR_AWAY = 18, 0.75, 1 << 20
# How sought a practitioner or a room is: the least, and how much more the most.
_SOUGHT, _SOUGHT_MORE = 0.85, 0.25


@dataclass(frozen=True)
class _Offered:
    """What can be booked: the visits at sites, as rows and as columns."""

    offers: Sequence[Offer]
    rows: Sequence[Bookable]
    columns: BookableColumns

    def flags(self, of_visit: Sequence[bool]) -> Flags:
        """A property of visits as a column of the rows."""
        return np.asarray(of_visit, dtype=np.bool_)[self.columns.offer]

    @cached_property
    def visits(self) -> list[Visit]:
        return [offer.visit for offer in self.offers]

    @cached_property
    def by_practitioner(self) -> Flags:
        return self.flags([visit.needs[0].kind == "practitioner" for visit in self.visits])


def book(
    draw: Draw, offers: Sequence[Offer], pools: Pools, openings: Openings, patients: PatientGroups, period: Period, size: HospitalSize
) -> Appointments:
    """The appointments of the period: as many as `size` asks for, each with free actors of its pools and a patient who can be there."""
    rows = bookables(offers, pools)
    offered = _Offered(offers, rows, columns_of(rows))
    candidates = _within_horizon(lay_out(draw, openings, rows, offered.columns), offered.columns)
    wanted = _wanted(draw, candidates, offered, openings, pools, period, size)
    packed = pack(candidates, wanted, openings, rows, len(pools.actors))
    return _appointments(draw, packed, offered, patients, len(pools.actors))


def _local_day(start: Ints) -> Ints:
    return np.maximum((start - _DAY_BEGINS) // TICKS_PER_DAY, 0)


def _within_horizon(candidates: Candidates, columns: BookableColumns) -> Candidates:
    """Nothing is booked further ahead than its visit type allows: that time stays free for those who come later."""
    return candidates.taking(np.flatnonzero(_local_day(candidates.start) < columns.horizon_days[candidates.row]))


def _wanted(
    draw: Draw, candidates: Candidates, offered: _Offered, openings: Openings, pools: Pools, period: Period, size: HospitalSize
) -> Wanted:
    """Practitioners' visits up to the fill asked for, then of the other visits as many as the weekdays still lack."""
    day = _local_day(candidates.start)
    sought = _SOUGHT + _SOUGHT_MORE * draw.units(len(pools.actors))
    appetites = appetite(day, (day + period.first.weekday()) % 7, sought[candidates.actor])
    length = offered.columns.lead_length[candidates.row].astype(np.float64)
    led = offered.by_practitioner[candidates.row]
    open_ticks = float(openings.ticks[_practitioners(pools)[openings.actor]].sum())
    probability = np.zeros(len(candidates))
    probability[led] = scaled(appetites[led], length[led], size.fill * (1 + _LOST) * open_ticks)
    on_workday = _workdays(period)[day].astype(np.float64)
    total = size.appointments_per_weekday * (1 + _LOST) * float(_workdays(period).sum()) - float((probability * on_workday).sum())
    probability[~led] = scaled(appetites[~led], on_workday[~led], total)
    chosen = _neighbourly(draw, candidates) < probability
    return Wanted(chosen, weight=np.where(led, length, 1.0), group=_groups(candidates, offered))


def _neighbourly(draw: Draw, candidates: Candidates) -> Floats:
    """A number in [0, 1) for each candidate, often the same for neighbours: what stays free, stays free for longer than one visit."""
    of_block = np.unique(candidates.actor * _FAR_AWAY + candidates.start // _BLOCK, return_inverse=True)[1]
    blocks = draw.units(int(of_block.max()) + 1)
    own = draw.units(len(candidates))
    return np.where(draw.units(len(candidates)) < _WITH_NEIGHBOURS, blocks[of_block], own)


def _groups(candidates: Candidates, offered: _Offered) -> Ints:
    """Who may stand in for whom: visits of one service at one site."""
    services = [offer.visit_type.healthcare_service_id for offer in offered.offers]
    places = [(services[row.offer], row.site) for row in offered.rows]
    numbers = {place: number for number, place in enumerate(dict.fromkeys(places))}
    return ints([numbers[place] for place in places])[candidates.row]


def _practitioners(pools: Pools) -> Flags:
    return np.array([actor.kind == "practitioner" for actor in pools.actors])


def _workdays(period: Period) -> Flags:
    """Which local days are weekdays and no holidays; a day longer than the period, for the last night."""
    dates = [period.day(number) for number in range(period.days + 1)]
    return np.array([on.weekday() < 5 and on not in period.holidays for on in dates])


def _appointments(draw: Draw, packed: Packed, offered: _Offered, patients: PatientGroups, actors: int) -> Appointments:
    patient = attend(draw, _visits(packed, offered), Crowd(draw, patients))
    packed, patient = packed.only(patient >= 0), patient[patient >= 0]
    count, row, start = len(patient), packed.candidates.row, packed.candidates.start
    columns = offered.columns
    end = start + columns.ticks[row]
    return Appointments(
        ids=draw.ids(count),
        status=_statuses(draw, row, offered),
        visit_type=columns.offer[row],
        site=columns.site[row],
        patient=patient,
        start=start,
        end=end,
        urgency=_urgencies(draw, row, offered),
        referral=_referrals(row, offered),
        claims=_claims(packed, patient + actors, start, end),
    )


def _visits(packed: Packed, offered: _Offered) -> Visits:
    candidates, columns = packed.candidates, offered.columns
    row = candidates.row
    return Visits(
        group=ints([GROUPS.index(visit.comes) for visit in offered.visits])[columns.offer[row]],
        practitioner=np.where(offered.by_practitioner[row], candidates.actor, -1),
        site=columns.site[row],
        start=candidates.start,
        end=candidates.start + columns.ticks[row],
    )


def _statuses(draw: Draw, row: Ints, offered: _Offered) -> Ints:
    """Booked (0), or pending (1) where staff have not yet confirmed."""
    confirm = offered.flags([visit.confirm for visit in offered.visits])[row]
    return (confirm & (draw.units(len(row)) < _UNCONFIRMED)).astype(np.int64)


def _urgencies(draw: Draw, row: Ints, offered: _Offered) -> Ints:
    units: Floats = draw.units(len(row))
    urgency = np.full(len(row), URGENCIES.index("P2"))
    for tier, below in _URGENT:
        allowed = offered.flags([tier in visit.tiers for visit in offered.visits])[row]
        urgency[allowed & (units < below)] = URGENCIES.index(tier)
    return urgency


def _referrals(row: Ints, offered: _Offered) -> Ints:
    """A number for each appointment that needs a referral, -1 for the others."""
    needed = offered.flags([visit.referral for visit in offered.visits])[row]
    return np.where(needed, np.cumsum(needed), -1)


def _claims(packed: Packed, patient_schedule: Ints, start: Ints, end: Ints) -> Claims:
    claims = Claims(
        appointment=np.concatenate([packed.visit, np.arange(len(start))]),
        schedule=np.concatenate([packed.actor, patient_schedule]),
        start=np.concatenate([packed.start, start]),
        end=np.concatenate([packed.end, end]),
    )
    return claims.ordered(np.argsort(claims.appointment, kind="stable"))
