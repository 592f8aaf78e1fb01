"""Time that falls free is offered at once to those who wait: noticed by the fact, asked by a job, and on to the next when nobody takes it.

One turn asks one person, or several in a race, and keeps the time for them under the freed time's id. While anybody is asked there is no
other turn; its row is locked, so a job or a fact that comes twice asks nobody twice.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.offers import Offer, OfferEnded
from carewright.contracts.scheduling import AppointmentFact, CalendarMoved, PickedTime, Slot, TimeNotFree
from carewright.contracts.waitlist import PolicyTerms, WaitingChanged
from carewright.kernel import audit, jobs
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Refusal
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars, Kind
from carewright.scheduling.model import freed as model
from carewright.scheduling.model.freed import FreedTime
from carewright.scheduling.model.rules import bookable_window, on_grid
from carewright.scheduling.model.ticks import TICK
from carewright.scheduling.model.waitlist import MINUTE, WAITS, BaseRate, Match, matches
from carewright.scheduling.service.asking import begin, is_elsewhere, keep
from carewright.scheduling.service.book import draft_of, ensure_prerequisites
from carewright.scheduling.service.change import trying
from carewright.scheduling.service.ending import about, end_by_itself
from carewright.scheduling.service.masters import is_ours
from carewright.scheduling.service.paying import ensure_not_stopped
from carewright.scheduling.service.picking import Wish, slots_at
from carewright.scheduling.service.reserve import reserved
from carewright.scheduling.store import freed as rows
from carewright.scheduling.store import waitlist

OFFER_FREED = "scheduling.offer_freed_time"
"""The job that asks whoever is next."""
PEOPLE_MAX = 1000
"""So many of those waiting at a site are looked at for one time, the most urgent and those who wait longest."""
LEADS = ("practitioner", "nurse", "technician")
RISKS = BaseRate()
FOLLOW = "scheduling.offer.follow"


class FreedHeard(msgspec.Struct, frozen=True):
    """The payload of the job: which freed time is to be offered."""

    organization_id: UUID
    freed_id: UUID


async def notice_freed_time(ctx: Context, tx: Session, event: AppointmentFact) -> None:
    """Have what an appointment leaves offered, where the site does so and somebody waits there."""
    now = ctx.clock.now()
    freed = model.freed_by(event, ctx.ids.new(), now)
    if freed is None:
        return
    terms = (await waitlist.policy(tx, event.organization_id, freed.site_id)).terms
    if terms.way == "off" or freed.end <= now + terms.notice_minutes * MINUTE:
        return
    waits = await waitlist.anybody_waits(tx, event.organization_id, freed.site_id)
    if waits and await rows.insert(tx, event.organization_id, freed):
        await _ask_next(ctx, tx, event.organization_id, freed)


async def follow_offer(ctx: Context, tx: Session, event: OfferEnded) -> None:
    """One answer is settled: the others lose their chance, or whoever is next gets theirs."""
    if event.freed_id is None:
        return
    if event.status == "accepted":
        for other in await rows.open_offers(tx, event.organization_id, freed_id=event.freed_id):
            await end_by_itself(ctx, tx, event.organization_id, other, "withdrawn", FOLLOW)
        return
    freed = await rows.for_change(tx, event.organization_id, event.freed_id)
    if freed is not None and freed.state == "open" and not await rows.is_asked(tx, event.organization_id, freed.id):
        await _ask_next(ctx, tx, event.organization_id, freed)


async def follow_waiting(ctx: Context, tx: Session, event: WaitingChanged) -> None:
    """Nobody is asked any more who does not wait any more."""
    if event.state in WAITS:
        return
    for offer in await rows.open_offers(tx, event.organization_id, entry_id=event.entry_id):
        await end_by_itself(ctx, tx, event.organization_id, offer, "withdrawn", FOLLOW)


async def offer_freed_time(ctx: SchedulingContext, freed_id: UUID) -> None:
    """Ask whoever is next about a freed time of the actor's organization, and keep it for them. Safe to repeat."""
    calendars, freed = await ctx.calendars(), await rows.by_id(ctx.db, ctx.actor.organization_id, freed_id)
    if freed is None:
        return
    await ctx.live.reload(calendars, freed.actor_ids)  # what fell free may not have come to this process yet
    try:
        await trying(ctx, calendars, lambda: _ask(ctx, calendars, freed_id))
    except (TimeNotFree, CalendarMoved):  # whoever was faster each time has it: nothing of it is left to offer
        async with ctx.db.transaction() as tx:
            await _leave(ctx, tx, await rows.for_change(tx, ctx.actor.organization_id, freed_id))


async def _ask_next(ctx: Context, tx: Session, organization_id: UUID, freed: FreedTime) -> None:
    await jobs.enqueue(ctx, tx, OFFER_FREED, FreedHeard(organization_id, freed.id), unique_key=f"{freed.id}:{freed.turn}")


async def _ask(ctx: SchedulingContext, calendars: Calendars, freed_id: UUID) -> None:
    """One attempt at one turn."""
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    with ExitStack() as shown:
        async with ctx.db.transaction() as tx:
            freed = await rows.for_change(tx, organization_id, freed_id)
            if freed is None or freed.state != "open" or await rows.is_asked(tx, organization_id, freed.id):
                return None
            terms = (await waitlist.policy(tx, organization_id, freed.site_id)).terms
            fitting = await _fitting(ctx, tx, calendars, freed, terms, now)
            made = await _make(ctx, tx, calendars, freed, fitting, terms)
            if not made:
                return await _leave(ctx, tx, freed)
            claims = model.kept_for(match.slot for match in made.values())
            until = max(each.expires_at for each in made)
            shown.enter_context(reserved(ctx, calendars, claims))
            await keep(tx, calendars, [match.slot for match in made.values()], claims, freed.id, until)
            await rows.save(tx, organization_id, msgspec.structs.replace(freed, turn=freed.turn + 1))
            asked = {each.entry_id for each in made}
            await waitlist.pass_over(tx, organization_id, [each.person.entry_id for each in fitting if each.person.entry_id not in asked])
        calendars.note_hold(freed.id, until, claims)
    ctx.wake()
    return None


async def _leave(ctx: SchedulingContext, tx: Session, freed: FreedTime | None) -> None:
    """Nobody is left to ask: the time is simply free."""
    if freed is not None and freed.state == "open":
        await rows.save(tx, ctx.actor.organization_id, msgspec.structs.replace(freed, state="left"))


async def _fitting(
    ctx: SchedulingContext, tx: Session, calendars: Calendars, freed: FreedTime, terms: PolicyTerms, now: datetime
) -> list[Match]:
    """All whom the time suits and who have time to answer, in the order in which they are asked."""
    if terms.way == "off" or freed.site_id not in calendars.sites:
        return []
    people = await waitlist.people(tx, ctx.actor.organization_id, freed.site_id, freed.id, now, PEOPLE_MAX)
    slots = _slots(ctx, calendars, freed, {each.visit_type_id for each in people}, now)
    zone = calendars.sites[freed.site_id].zone
    found = matches(people, slots, zone, now, notice_minutes=terms.notice_minutes, risks=RISKS)
    return [each for each in found if model.may_be_asked(each, terms, now)]


def _slots(
    ctx: SchedulingContext, calendars: Calendars, freed: FreedTime, visit_type_ids: Collection[UUID], now: datetime
) -> dict[UUID, list[Slot]]:
    """For each kind of visit the starts in a freed time, with somebody whose time fell free, as free as they are now."""
    kinds = (calendars.visit_types.get(each) for each in visit_type_ids)
    offered = (each for each in kinds if each and is_ours(calendars, each, freed.site_id) and _is_offered(each, freed.site_id))
    return {kind.value.id: list(_slots_of(ctx, calendars, freed, kind, now)) for kind in offered}


def _is_offered(kind: Kind, site_id: UUID) -> bool:
    return kind.value.active and site_id in (kind.value.rules.site_ids or (site_id,))


def _slots_of(ctx: SchedulingContext, calendars: Calendars, freed: FreedTime, kind: Kind, now: datetime) -> Iterator[Slot]:
    zone, horizon = calendars.sites[freed.site_id].zone, calendars.index.horizon
    first, last = bookable_window(kind.value, now, by_patient=False, horizon_days=ctx.settings.horizon_days)
    count = -((freed.start - freed.end) // TICK)
    starts = [freed.start + number * TICK for number in range(count)]
    starts = [each for each in starts if first <= each <= last and on_grid(each, kind.value.rules.grid_minutes, zone)]
    ticks = [horizon.tick_at(each) for each in starts]
    by_actor = [slots_at(ctx, calendars, kind, Wish(freed.site_id, actor_ids=(each,)), ticks) for each in _leading(calendars, freed)]
    for number in range(len(starts)):
        slot = next((slots[number] for slots in by_actor if slots[number] is not None), None)
        if slot is not None:
            yield slot


def _leading(calendars: Calendars, freed: FreedTime) -> list[UUID]:
    """Whose time fell free, people before rooms and devices: whoever fills a person's time fills the rest with it."""
    known = [each for each in freed.actor_ids if each in calendars.bookables]
    return sorted(known, key=lambda each: (calendars.bookables[each].kind not in LEADS, each))


async def _make(
    ctx: SchedulingContext, tx: Session, calendars: Calendars, freed: FreedTime, fitting: Iterable[Match], terms: PolicyTerms
) -> dict[Offer, Match]:
    """The offers of one turn: to the first who could say yes, and are not just asked about something else."""
    organization_id, now, site = ctx.actor.organization_id, ctx.clock.now(), calendars.sites[freed.site_id]
    made: dict[Offer, Match] = {}
    for match in fitting:
        if len(made) == model.asked_at_once(terms):
            break
        person = match.person
        if not await waitlist.lock_person(tx, organization_id, person.entry_id) or not await _could_accept(ctx, tx, calendars, match):
            continue
        offer = model.offered(match, freed, terms, ctx.ids.new(), now, site.name, site.zone.key)
        if await begin(ctx, tx, organization_id, offer, person.given_up.version if person.given_up else 1):
            made[offer] = match
            name = "scheduling.offer.make"
            deed = audit.entry_of_system(ctx, organization_id, name, "C", patient_id=offer.patient_id, entities=about(offer))
            await audit.record(tx, deed)
    return made


async def _could_accept(ctx: SchedulingContext, tx: Session, calendars: Calendars, match: Match) -> bool:
    """Whether a yes would be taken, as far as it is known now; it is asked again then."""
    person, slot = match.person, match.slot
    own = person.given_up.id if person.given_up else person.entry_id
    if await is_elsewhere(ctx, tx, ctx.actor.organization_id, person.patient_id, slot, own):
        return False
    kind = calendars.visit_types[person.visit_type_id]
    time = PickedTime(visit_type_id=kind.value.id, site_id=slot.site_id, start=slot.start, urgency=person.wishes.urgency or "P2")
    try:
        if person.given_up is None:
            await ensure_prerequisites(ctx, tx, kind, person.patient_id, None, slot.start)
        await ensure_not_stopped(ctx, tx, draft_of(ctx, calendars, kind, time, person.patient_id).at(slot, own))
    except Refusal:
        return False
    return True
