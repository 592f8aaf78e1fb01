"""Use cases of the waitlist: wait for a time, wait for another, wait no more; and how a site offers what falls free."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from carewright.contracts.scheduling import Appointment, UnknownPatient
from carewright.contracts.waitlist import (
    WAITS_AT_ONCE_MAX,
    AlreadyWaiting,
    ChangeWaiting,
    JoinWaitlist,
    LeaveWaitlist,
    ListWaiting,
    NothingToGiveUp,
    NotWaiting,
    SetWaitlistPolicy,
    UnknownWaiting,
    WaitlistEntry,
    WaitlistPage,
    WaitlistPolicy,
    WaitsEnough,
    WaitState,
    Wishes,
)
from carewright.kernel import audit, outbox
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Forbidden, PreconditionFailed, ensure_version
from carewright.kernel.idempotency import committed, once, once_committed
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars, Kind
from carewright.scheduling.model import rules
from carewright.scheduling.model import waitlist as model
from carewright.scheduling.model.appointment import MOVABLE, is_hold
from carewright.scheduling.service.book import ensure_prerequisites
from carewright.scheduling.service.known import when_known
from carewright.scheduling.service.own import list_own
from carewright.scheduling.service.picking import known_site, visit_kind, visit_site
from carewright.scheduling.store import waitlist as rows

CHANGE = "scheduling.waitlist.change"
READ = "scheduling.waitlist.read"
SET_POLICY = "scheduling.waitlist.set_policy"
OVER_BATCH_MAX = 200
EVERYWHERE = timedelta(hours=12)
"""So long after UTC the last place on earth ends its day."""


async def join_waitlist(ctx: SchedulingContext, command: JoinWaitlist) -> WaitlistEntry:
    """Wait for a kind of visit, as its rules let whoever asks book it.

    Raises `AlreadyWaiting`, `WaitsEnough`, `NothingToGiveUp`, `UnknownVisitType`, `UnknownSite`, `OutsideRules`, `PrerequisiteMissing`.
    """
    ctx.actor.require(CHANGE)
    ctx.require_patient(command.patient_id)
    calendars = await ctx.calendars()
    kind = visit_kind(calendars, command.visit_type_id)
    _ensure_fitting(ctx, calendars, kind, command.wishes)
    _ensure_may_say(ctx, command.wishes, "P2")

    async def join(tx: Session) -> WaitlistEntry:
        organization_id = ctx.actor.organization_id
        await store.lock_patient(tx, organization_id, command.patient_id)
        known = await rows.kinds_of(tx, organization_id, command.patient_id)
        if (entry_id := known.get(command.visit_type_id)) is not None:
            raise AlreadyWaiting(entry_id=str(entry_id))
        if len(known) >= WAITS_AT_ONCE_MAX:
            raise WaitsEnough(limit=WAITS_AT_ONCE_MAX)
        await _ensure_given_up(ctx, tx, command)
        one = model.joined(command, ctx.ids.new(), ctx.clock.now())
        if not await rows.insert(tx, organization_id, one):
            raise UnknownPatient
        await _report(ctx, tx, "scheduling.waitlist.join", "C", one)
        return one

    return await once(ctx, WaitlistEntry, when_known(lambda: committed(ctx, join)))


async def change_waiting(ctx: SchedulingContext, command: ChangeWaiting) -> WaitlistEntry:
    """Wait for something else of the same kind, in the same place of the list.

    Raises `UnknownWaiting`, `NotWaiting`, and as `join_waitlist`.
    """
    ctx.actor.require(CHANGE)
    calendars = await ctx.calendars()

    async def change(tx: Session) -> WaitlistEntry:
        before = await _for_change(ctx, tx, command.entry_id, command.expected_version)
        _ensure_fitting(ctx, calendars, visit_kind(calendars, before.visit_type_id), command.wishes)
        _ensure_may_say(ctx, command.wishes, before.wishes.urgency)
        after = model.changed(before, command.wishes)
        await rows.save(tx, ctx.actor.organization_id, after)
        await _report(ctx, tx, "scheduling.waitlist.change", "U", after)
        return after

    return await once_committed(ctx, WaitlistEntry, change)


async def leave_waitlist(ctx: SchedulingContext, command: LeaveWaitlist) -> WaitlistEntry:
    """Wait no more. Raises `UnknownWaiting`, `NotWaiting`. What is offered is taken back a moment later, by the fact of it."""
    ctx.actor.require(CHANGE)

    async def leave(tx: Session) -> WaitlistEntry:
        before = await _for_change(ctx, tx, command.entry_id, command.expected_version)
        after = model.ended(before, "withdrawn", ctx.clock.now())
        await rows.save(tx, ctx.actor.organization_id, after)
        await _report(ctx, tx, "scheduling.waitlist.leave", "U", after)
        return after

    return await once_committed(ctx, WaitlistEntry, leave)


async def get_waiting(ctx: SchedulingContext, entry_id: UUID) -> WaitlistEntry:
    """One entry. Raises `UnknownWaiting` for what is not there or not the actor's."""
    ctx.actor.require(READ)
    async with ctx.db.transaction() as tx:
        one = _own(ctx, await rows.by_id(tx, ctx.actor.organization_id, entry_id))
        await audit.record(tx, audit.entry(ctx, "scheduling.waitlist.read", "R", patient_id=one.patient_id, entities=_about(one.id)))
    return one


async def list_waiting(ctx: SchedulingContext, query: ListWaiting) -> WaitlistPage:
    """Entries of one's own, or of everybody at one's sites, oldest first. Raises `Forbidden`."""
    ctx.actor.require(READ)
    items, after = await list_own(ctx, query, rows.page, "scheduling.waitlist.list", "WaitlistEntry")
    return WaitlistPage(items=items, next=after)


async def get_waitlist_policy(ctx: SchedulingContext, site_id: UUID) -> WaitlistPolicy:
    """How a site offers what falls free. Raises `UnknownSite`."""
    ctx.actor.require(READ)
    ctx.require_site(site_id)
    known_site(await ctx.calendars(), site_id)
    return await rows.policy(ctx.db, ctx.actor.organization_id, site_id)


async def set_waitlist_policy(ctx: SchedulingContext, command: SetWaitlistPolicy) -> WaitlistPolicy:
    """Say how a site offers what falls free from now on. Raises `UnknownSite`, and `PreconditionFailed` where it was changed meanwhile."""
    ctx.actor.require(SET_POLICY)
    ctx.require_site(command.site_id)
    known_site(await ctx.calendars(), command.site_id)

    async def change(tx: Session) -> WaitlistPolicy:
        organization_id = ctx.actor.organization_id
        before = await rows.policy(tx, organization_id, command.site_id)
        ensure_version(before.version, command.expected_version)
        after = WaitlistPolicy(site_id=command.site_id, terms=command.terms, version=before.version + 1)
        if not await rows.put_policy(tx, organization_id, after):
            raise PreconditionFailed(version=after.version)
        about = (audit.Entity(type="Location", id=command.site_id),)
        await audit.record(tx, audit.entry(ctx, "scheduling.waitlist.set_policy", "U", entities=about))
        return after

    return await once_committed(ctx, WaitlistPolicy, change)


async def end_waiting(ctx: Context, tx: Session, organization_id: UUID, entry_ids: Sequence[UUID], state: WaitState) -> None:
    """End entries in nobody's name: they have what they waited for, or it cannot come any more. The caller holds their rows."""
    for entry_id in entry_ids:
        before = await rows.by_id(tx, organization_id, entry_id)
        if before is not None and before.state in model.WAITS:
            await end_one(ctx, tx, organization_id, before, state)


async def end_one(ctx: Context, tx: Session, organization_id: UUID, before: WaitlistEntry, state: WaitState) -> None:
    """The same of one that was read just now."""
    after = model.ended(before, state, ctx.clock.now())
    await rows.save(tx, organization_id, after)
    await outbox.publish(ctx, tx, model.fact_of(after, organization_id))
    name, about = "scheduling.waitlist.end", _about(after.id)
    await audit.record(tx, audit.entry_of_system(ctx, organization_id, name, "U", patient_id=after.patient_id, entities=about))


async def end_overdue(ctx: SchedulingContext) -> int:
    """End a batch of entries, of every organization, whose last day is over. The timer's turn."""
    async with ctx.db.transaction() as tx:
        over = await rows.over(tx, (ctx.clock.now() - EVERYWHERE).date(), OVER_BATCH_MAX)
        for organization_id, entry_id in over:
            await end_waiting(ctx, tx, organization_id, [entry_id], "expired")
    if over:
        ctx.wake()
    return len(over)


async def _for_change(ctx: SchedulingContext, tx: Session, entry_id: UUID, expected_version: int | None) -> WaitlistEntry:
    """An entry by which somebody waits still, its row locked."""
    one = _own(ctx, await rows.for_change(tx, ctx.actor.organization_id, entry_id))
    if one.state not in model.WAITS:
        raise NotWaiting(entry_id=str(one.id), state=one.state)
    ensure_version(one.version, expected_version)
    return one


def _ensure_fitting(ctx: SchedulingContext, calendars: Calendars, kind: Kind, wishes: Wishes) -> None:
    """Raise what a booking would of the kind of visit, the sites and the urgency."""
    for site_id in wishes.site_ids:
        visit_site(calendars, kind, site_id)
    if not ctx.reaches(wishes.site_ids):
        raise Forbidden("You can act for your own sites only.")
    if ctx.by_patient and not kind.value.rules.patient_bookable:
        raise rules.refuse("patient")
    if (wishes.urgency or "P2") not in kind.value.rules.urgency_tiers:
        raise rules.refuse("urgency")


def _ensure_may_say(ctx: SchedulingContext, wishes: Wishes, urgency: str | None) -> None:
    """Raise `Forbidden` where a patient says how urgent it is."""
    if ctx.by_patient and wishes.urgency not in (None, urgency):
        raise Forbidden("How urgent a visit is, the practice says.")


async def _ensure_given_up(ctx: SchedulingContext, tx: Session, command: JoinWaitlist) -> None:
    """Raise `NothingToGiveUp`, or `PrerequisiteMissing` where the visit would be a new one."""
    if command.given_up_id is None:
        kind = visit_kind(await ctx.calendars(), command.visit_type_id)
        return await ensure_prerequisites(ctx, tx, kind, command.patient_id, None, ctx.clock.now())
    one = await store.appointment_by_id(tx, await ctx.cipher(), command.given_up_id)
    if one is None or not _is_given_up(ctx, one, command):
        raise NothingToGiveUp(appointment_id=str(command.given_up_id))
    return None


def _is_given_up(ctx: SchedulingContext, one: Appointment, command: JoinWaitlist) -> bool:
    same = (one.patient_id, one.visit_type_id) == (command.patient_id, command.visit_type_id)
    return same and one.status in MOVABLE and not is_hold(one) and one.start > ctx.clock.now() and ctx.actor.works_at(one.site_id)


def _own(ctx: SchedulingContext, one: WaitlistEntry | None) -> WaitlistEntry:
    """The entry, if there is one for the actor. To others it does not exist."""
    if one is None or not ctx.concerns(one.patient_id, one.wishes.site_ids):
        raise UnknownWaiting
    return one


async def _report(ctx: SchedulingContext, tx: Session, deed: str, action: audit.Action, one: WaitlistEntry) -> None:
    await outbox.publish(ctx, tx, model.fact_of(one, ctx.actor.organization_id))
    await audit.record(tx, audit.entry(ctx, deed, action, patient_id=one.patient_id, entities=_about(one.id)))


def _about(entry_id: UUID) -> tuple[audit.Entity]:
    return (audit.Entity(type="WaitlistEntry", id=entry_id),)
