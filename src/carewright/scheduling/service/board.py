"""A day of a site with all its calendars, as a board shows it, and how full it is: nobody's patient is named."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from carewright.contracts.board import (
    Board,
    BoardRow,
    BoardVisit,
    HourUse,
    ReadBoard,
    ReadUse,
    ServiceUse,
    SiteUse,
    Stretch,
    Taken,
    TakesTime,
)
from carewright.contracts.scheduling import Appointment, SearchAppointments
from carewright.kernel import audit
from carewright.kernel.db import Session
from carewright.kernel.errors import BadInput
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.values import utc
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Bookable, Calendars
from carewright.scheduling.model.appointment import HOLDS_TIME
from carewright.scheduling.model.utilisation import Busyness, minutes_by_hour
from carewright.scheduling.service.cursors import NO_ID
from carewright.scheduling.service.picking import Wish, known_site, requirements_of, visit_kind
from carewright.scheduling.store import board

PERIOD_MAX = timedelta(hours=48)
VISIT_MAX = timedelta(hours=24)
"""No visit is longer (`directory.model.VISIT_MINUTES_MAX`), so whatever began earlier than this before the board does is over."""
PAGE_SIZE = 1000


async def read_board(ctx: SchedulingContext, query: ReadBoard) -> Board:
    """Whoever works at a site or is taken in a time, and what takes place there. The journal notes the site: no patient is shown."""
    for permission in ("scheduling.calendar.read", "scheduling.appointment.read", "scheduling.appointment.any_patient"):
        ctx.actor.require(permission)
    start, end = _period(query)
    ctx.require_site(query.site_id)
    calendars, cipher = await ctx.calendars(), await ctx.cipher()
    known_site(calendars, query.site_id)
    able = _able(calendars, query)
    async with ctx.db.transaction() as tx:
        await store.plan_once(tx)
        found = await taking_time(tx, cipher, query, start, end, ctx.clock.now())
        openings = await board.openings_at(tx, calendars.organization_id, query.site_id, start, end)
        in_use = await board.in_use_at(tx, calendars.organization_id, query.site_id, start, end)
        taken = {each.actor_id for one in found for each in one.participants}
        here = set(openings).union(*(each.schedule_ids for each in in_use))
        shown = taken | (here if able is None else able & here)
        people = [each for each in calendars.bookables.values() if each.id in shown and (not query.kinds or each.kind in query.kinds)]
        blocks = await board.blocks_of(tx, calendars.organization_id, [each.id for each in people], start, end)
        about = audit.Entity(type="Location", id=query.site_id)
        await audit.record(tx, audit.entry(ctx, "scheduling.calendar.read", "R", entities=(about,)))
    people.sort(key=lambda each: (each.display, each.id))
    return Board(rows=tuple(_row(each, openings, blocks) for each in people), visits=tuple(map(_visit, found)), in_use=in_use)


async def read_use(ctx: SchedulingContext, query: ReadUse) -> SiteUse:
    """How full a site is by service and hour, past hours too. It shows nothing of a person."""
    ctx.actor.require("scheduling.calendar.read")
    ctx.require_site(query.site_id)
    start = utc(query.from_at)
    end = start + timedelta(hours=query.hours)
    calendars, cipher = await ctx.calendars(), await ctx.cipher()
    known_site(calendars, query.site_id)
    async with ctx.db.transaction() as tx:
        await store.plan_once(tx)
        found = await taking_time(tx, cipher, ReadBoard(site_id=query.site_id, from_at=start, until_at=end), start, end, ctx.clock.now())
        openings = await board.openings_at(tx, calendars.organization_id, query.site_id, start, end)
        blocks = await board.blocks_of(tx, calendars.organization_id, list(openings), start, end)
    taken: defaultdict[UUID, list[tuple[datetime, datetime]]] = defaultdict(list)
    for each in found:
        for one in each.participants:
            taken[one.actor_id].append((one.claimed_from, one.claimed_to))
    busy = {each: Busyness(_spans(openings[each]), _spans(blocks.get(each, ())), taken[each]) for each in openings}
    pools, names = _pools(calendars, query.site_id)
    used = minutes_by_hour(busy, pools, start, query.hours)
    services = (
        ServiceUse(service_id=each, service_name=names[each], hours=tuple(HourUse(open_minutes=a, taken_minutes=b) for a, b in hours))
        for each, hours in used.items()
        if any(hour.open for hour in hours)
    )
    return SiteUse(services=tuple(sorted(services, key=lambda each: (each.service_name, each.service_id))))


def _pools(calendars: Calendars, site_id: UUID) -> tuple[Mapping[UUID, Collection[UUID]], Mapping[UUID, str]]:
    """Who could serve each service at a site, and its name: practitioners where its visits need one, otherwise what comes first."""
    pools: defaultdict[UUID, set[UUID]] = defaultdict(set)
    names: dict[UUID, str] = {}
    for kind in calendars.visit_types.values():
        offered = kind.value.rules.site_ids
        if kind.value.active and kind.value.requirements and (not offered or site_id in offered):
            needs = kind.value.requirements
            leads = next((number for number, need in enumerate(needs) if need.kind == "practitioner"), 0)
            rows = requirements_of(calendars, kind, Wish(site_id))[leads].candidates.tolist()
            pools[kind.value.healthcare_service_id].update(calendars.owners[row] for row in rows)
            names[kind.value.healthcare_service_id] = kind.service_name
    return pools, names


def _spans(stretches: Sequence[Stretch]) -> list[tuple[datetime, datetime]]:
    return [(each.start, each.end) for each in stretches]


def _period(query: ReadBoard) -> tuple[datetime, datetime]:
    start, end = utc(query.from_at), utc(query.until_at)
    if not start < end <= start + PERIOD_MAX:
        raise BadInput("A board spans 48 hours at most, and ends after it begins.", parameter="until_at")
    return start, end


def _able(calendars: Calendars, query: ReadBoard) -> set[UUID] | None:
    """Who could serve one of the kinds of visits that are asked for; None where none is."""
    if not query.visit_type_ids:
        return None
    needs = (need for each in query.visit_type_ids for need in requirements_of(calendars, visit_kind(calendars, each), Wish(query.site_id)))
    return {calendars.owners[row] for need in needs for row in need.candidates.tolist()}


async def taking_time(
    tx: Session, cipher: FieldCipher, query: ReadBoard, start: datetime, end: datetime, now: datetime
) -> Sequence[Appointment]:  # fmt: skip
    """What takes time of the site between the two instants, by start."""
    asked = SearchAppointments(
        site_ids=(query.site_id,), visit_type_ids=query.visit_type_ids, statuses=tuple(sorted(HOLDS_TIME)), limit=PAGE_SIZE
    )
    found: list[Appointment] = []
    part = store.Part(start - VISIT_MAX, NO_ID, end, NO_ID)
    more = True
    while more:
        page = await store.search_by_time(tx, cipher, asked, part, now)
        found += page[:PAGE_SIZE]
        more = len(page) > PAGE_SIZE
        part = store.Part(found[-1].start, found[-1].id, end, NO_ID) if more else part
    return [each for each in found if each.end > start]


def _row(person: Bookable, openings: Mapping[UUID, Sequence[Stretch]], blocks: Mapping[UUID, Sequence[Stretch]]) -> BoardRow:
    return BoardRow(
        schedule_id=person.id, kind=person.kind, display=person.display,
        openings=tuple(openings.get(person.id, ())), blocks=tuple(blocks.get(person.id, ())),
    )  # fmt: skip


def _visit(each: Appointment) -> BoardVisit:
    return BoardVisit(
        id=each.id, version=each.version, status=cast(TakesTime, each.status), visit_type_id=each.visit_type_id,
        visit_type_name=each.visit_type_name, start=each.start, end=each.end, urgency=each.urgency, expires_at=each.expires_at,
        taken=tuple(
            Taken(actor_id=one.actor_id, start=one.claimed_from, end=one.claimed_to) for one in each.participants if one.kind != "patient"
        ),
    )  # fmt: skip
