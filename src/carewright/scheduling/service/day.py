"""A day at a site as the planner reads it: which visits may move, whose time is free without them, and what its numbers stand for."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from carewright.contracts.board import ReadBoard
from carewright.contracts.directory import VisitType
from carewright.contracts.planner import PlanDay
from carewright.contracts.scheduling import Appointment, ClaimedTime
from carewright.kernel import audit
from carewright.kernel.errors import BadInput
from carewright.kernel.values import utc
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars, Kind, place_of
from carewright.scheduling.model.appointment import claims_of
from carewright.scheduling.model.links import ANY_TIME, Bond, window_of, window_of_other
from carewright.scheduling.model.planning import Bits, row_of_bits
from carewright.scheduling.model.posing import Need, Placed, Tie, Visit
from carewright.scheduling.model.search import Requirement
from carewright.scheduling.model.ticks import TICK, WORD_BITS, Flags, Ticks, grid_mask, set_ticks, words_of
from carewright.scheduling.service.board import taking_time
from carewright.scheduling.service.masters import is_ours
from carewright.scheduling.service.picking import Wish, known_site, requirements_of
from carewright.scheduling.store import links

TIERS = ("P0", "P1", "P2")


class Frame(NamedTuple):
    """What a kind of visit needs here. It starts `lead_in` ticks after whoever comes first is taken, and lasts `last` from then on."""

    kind: VisitType
    requirements: Sequence[Requirement]
    needs: tuple[Need, ...]
    lead_in: int
    last: int
    lead: int


class Day:
    """The appointments of a site from tick `first` to `end` of the index; those that may move are `visits`, in the same order.

    The planner counts ticks from `base`, where a word of the index begins, and numbers the calendars that any of the visits could use.
    """

    def __init__(
        self, calendars: Calendars, site_id: UUID, first: int, end: int, found: Sequence[Appointment], bonds: Sequence[Bond]
    ) -> None:
        self.calendars, self.site_id = calendars, site_id
        self.base, self.first, self.end = first // WORD_BITS * WORD_BITS, first, end
        start, until = calendars.index.horizon.instant_of(first), calendars.index.horizon.instant_of(end)
        self.appointments = [each for each in found if _may_move(calendars, each, start, until)]
        chosen = {each.id for each in self.appointments}
        self.fixed = [each for each in found if each.id not in chosen]
        self._bonds = bonds
        self._numbers: dict[int, int] = {}
        self._frames: list[Frame] = []
        self._away: list[tuple[UUID, Bits]] = []
        self.visits = [self._visit(each) for each in self.appointments]

    @property
    def ticks(self) -> int:
        return self.end - self.base

    @property
    def zone(self) -> ZoneInfo:
        return self.calendars.sites[self.site_id].zone

    def tick_of(self, instant: datetime) -> int:
        return self.calendars.index.horizon.tick_at(instant) - self.base

    def tick_from(self, instant: datetime) -> int:
        """The first tick that begins then or later."""
        return -((self.calendars.index.horizon.origin - instant) // TICK) - self.base

    def free(self) -> Bits:
        """[calendars, words] Free ticks as if nothing that may move were booked."""
        claims = [claim for each in self.appointments for claim in claims_of(each)]
        rows = np.array(list(self._numbers), np.intp)
        with self.calendars.without(claims):
            return self._there(self.calendars.index.free, rows)

    def lose(self, actor_id: UUID, since: int, until: int) -> None:
        """Suppose that somebody is not there between these ticks."""
        self._away.append((actor_id, row_of_bits(range(max(0, since), min(until, self.ticks)), self.ticks)))

    def loses(self, one: Appointment) -> bool:
        """Whether an appointment needs somebody who is supposed to be away."""
        return any(
            each.schedule_id == actor_id and (ticks & self._ticks_of(each)).any()
            for actor_id, ticks in self._away for each in claims_of(one)
        )  # fmt: skip

    def add(self, visit_type_id: UUID, tick: int) -> None:
        """Suppose that an emergency comes at a tick, and is seen from then on. It is the last of the visits."""
        kind = self.calendars.visit_types[visit_type_id]
        frame = self._frame(kind)
        allowed = row_of_bits(range(tick, self.ticks - frame.last + 1), self.ticks)
        visit = Visit(
            needs=frame.needs, allowed=allowed, minutes=kind.value.duration_minutes, tier=0, released=tick, lead=frame.lead,
            patient=-len(self.visits) - 1,
        )  # fmt: skip
        self.visits.append(visit)

    def is_open(self, numbers: Iterable[int]) -> Flags:
        """[calendars, ticks] Whether these are there at all, free or not."""
        rows = list(self._numbers)
        some = np.array([rows[number] for number in numbers], np.intp)
        words = self._there(self.calendars.index.open_bits, some)
        return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")[:, : self.ticks].astype(bool)

    def instant_of(self, tick: int) -> datetime:
        return self.calendars.index.horizon.instant_of(tick + self.base)

    def start_at(self, number: int, tick: int) -> datetime:
        """When a visit starts whose first calendar is taken from a tick on: that may be earlier."""
        booked = self.visits[number].booked
        if booked is None:
            return self.instant_of(tick - self._frames[number].lead_in)
        return self.appointments[number].start + (tick - booked) * TICK

    def kind_of(self, number: int) -> VisitType:
        return self._frames[number].kind

    def name_of(self, calendar: int) -> str:
        """Whose calendar has this number."""
        return self.calendars.bookables[self.calendars.owners[list(self._numbers)[calendar]]].display

    def actors_of(self, placed: Placed) -> tuple[UUID, ...]:
        rows = list(self._numbers)
        return tuple(self.calendars.owners[rows[number]] for some in placed.served_by for number in some)

    def _visit(self, one: Appointment) -> Visit:
        kind = self.calendars.visit_types[one.visit_type_id]
        frame = self._frame(kind)
        grid = grid_mask(self.calendars.index.horizon, self.zone, kind.value.rules.grid_minutes)
        starts = set_ticks(grid) + frame.lead_in
        starts = starts[(starts >= self.first) & (starts + frame.last <= self.end)] - self.base
        booked = self.tick_of(one.start) + frame.lead_in
        return Visit(
            needs=frame.needs, allowed=row_of_bits(self._bound(one, self._beside(one, starts, frame.last), frame.lead_in), self.ticks),
            minutes=kind.value.duration_minutes, tier=TIERS.index(one.urgency), released=booked, lead=frame.lead, booked=booked,
            served_by=self._served_by(one, frame.requirements), patient=one.patient_id.int,
        )  # fmt: skip

    def _ticks_of(self, claim: ClaimedTime) -> Bits:
        return row_of_bits(range(max(0, self.tick_of(claim.start)), min(self.tick_of(claim.end), self.ticks)), self.ticks)

    def _frame(self, kind: Kind) -> Frame:
        requirements = requirements_of(self.calendars, kind, Wish(self.site_id))
        lead_in = min(each.lead for each in requirements)
        needs = tuple(self._need(each, lead_in) for each in requirements)
        leads = [number for number, need in enumerate(kind.value.requirements) if need.kind == "practitioner"]
        frame = Frame(kind.value, requirements, needs, lead_in, max(each.until for each in needs), leads[0] if leads else 0)
        self._frames.append(frame)
        return frame

    def _there(self, bits: Bits, rows: Ticks) -> Bits:
        """[rows, words] These rows of the index while it is planned, without whoever is supposed to be away."""
        words = words_of(bits, rows, self.base // WORD_BITS, -(-self.end // WORD_BITS))
        for actor_id, ticks in self._away:
            for place, row in enumerate(rows.tolist()):
                if self.calendars.owners[row] == actor_id:
                    words[place, : len(ticks)] &= ~ticks
        return words

    def _need(self, requirement: Requirement, lead_in: int) -> Need:
        numbers = tuple(self._numbers.setdefault(row, len(self._numbers)) for row in requirement.candidates.tolist())
        since = requirement.lead - lead_in
        return Need(numbers, since, since + requirement.ticks, requirement.count)

    def _served_by(self, one: Appointment, requirements: Sequence[Requirement]) -> tuple[tuple[int, ...], ...]:
        """Who serves each need now; nobody where that is somebody who could not be chosen for it."""
        row_of = self.calendars.index.row_of
        left = [row for each in one.participants if (row := row_of(place_of(each.actor_id, one.site_id))) is not None]
        found = []
        for each in requirements:
            able = set(each.candidates.tolist())
            serving = [row for row in left if row in able][: each.count]
            left = [row for row in left if row not in serving]
            found.append(tuple(self._numbers[row] for row in serving))
        return tuple(found)

    def ties(self) -> list[Tie]:
        """Which of the visits are linked to each other, in ticks between the first calendars that they take."""
        number_of = {one.id: number for number, one in enumerate(self.appointments)}
        return [
            self._tie(bond, number_of[bond.link.appointment_id], number_of[bond.link.depends_on_id])
            for bond in self._bonds
            if bond.link.appointment_id in number_of and bond.link.depends_on_id in number_of
        ]

    def _tie(self, bond: Bond, number: int, other: int) -> Tie:
        window = window_of(bond.link, bond.one.end - bond.one.start, bond.other)
        earlier = self._frames[number].lead_in - self._frames[other].lead_in
        least = -self.ticks if window.earliest is None else -((bond.other.start - window.earliest) // TICK) + earlier
        most = self.ticks if window.latest is None else (window.latest - bond.other.start) // TICK + earlier
        return Tie(number, other, least, most, bond.link.needs)

    def _bound(self, one: Appointment, starts: Ticks, lead_in: int) -> Iterable[int]:
        """Of these starts those that agree with what it is linked to and stays where it is, that day or on another."""
        moving, window = {each.id for each in self.appointments}, ANY_TIME
        for bond in self._bonds:
            if one.id == bond.link.appointment_id and bond.link.depends_on_id not in moving:
                window = window.within(window_of(bond.link, one.end - one.start, bond.other))
            if one.id == bond.link.depends_on_id and bond.link.appointment_id not in moving:
                window = window.within(window_of_other(bond.link, bond.one, one.end - one.start))
        if window.earliest is not None:
            starts = starts[starts - lead_in >= self.tick_from(window.earliest)]
        if window.latest is not None:
            starts = starts[starts - lead_in <= self.tick_of(window.latest)]
        return map(int, starts)

    def _beside(self, one: Appointment, starts: Ticks, last: int) -> Ticks:
        """Of these starts those at which the patient is not elsewhere."""
        for each in self.fixed:
            if each.patient_id == one.patient_id:
                since, until = self.tick_of(each.start), self.tick_of(each.end)
                starts = starts[(starts + last <= since) | (starts >= until)]
        return starts


def span_of(calendars: Calendars, query: PlanDay, now: datetime) -> tuple[int, int]:
    """From which tick of the index to which is planned. Raises `UnknownSite`; `BadInput` for a time that no calendar reaches."""
    known_site(calendars, query.site_id)
    horizon = calendars.index.horizon
    first = -((horizon.origin - max(utc(query.from_at or now), now)) // TICK)
    end = min(first + timedelta(hours=query.hours) // TICK, horizon.ticks)
    if end <= first:
        raise BadInput("Calendars are not kept so far ahead yet.", parameter="from_at")
    return first, end


async def read_day(ctx: SchedulingContext, query: PlanDay) -> Day:
    """What there is to plan. Raises as `span_of` does. The journal notes the site alone."""
    calendars, cipher, now = await ctx.calendars(), await ctx.cipher(), ctx.clock.now()
    first, end = span_of(calendars, query, now)
    start, until = (calendars.index.horizon.instant_of(each) for each in (first, end))
    async with ctx.db.transaction() as tx:
        await store.plan_once(tx)
        found = await taking_time(tx, cipher, ReadBoard(site_id=query.site_id, from_at=start, until_at=until), start, until, now)
        about = audit.Entity(type="Location", id=query.site_id)
        await audit.record(tx, audit.entry(ctx, "scheduling.plan.search", "R", entities=(about,)))
        bonds = await links.bonds_of(tx, calendars.organization_id, [each.id for each in found])
    return Day(calendars, query.site_id, first, end, found, bonds)


def _may_move(calendars: Calendars, one: Appointment, start: datetime, until: datetime) -> bool:
    """Whether it is booked by the rules, all of it within the time that is planned, and ours to move."""
    kind = calendars.visit_types.get(one.visit_type_id)
    claims = claims_of(one)
    return (
        one.status == "booked" and one.override_reason is None and kind is not None and is_ours(calendars, kind, one.site_id)
        and min(each.start for each in claims) >= start and max(each.end for each in claims) <= until
        and not any(each.schedule_id in calendars.overbooked for each in claims)
    )  # fmt: skip
