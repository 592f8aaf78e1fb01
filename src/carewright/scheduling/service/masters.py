"""Who is master of a service's appointments: the rule that nobody goes around, and the steps from one to the other."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

import msgspec

from carewright.contracts.masters import ChangeMaster, Master, Masters
from carewright.contracts.scheduling import BookedElsewhere, CatalogueChanged, NotMirrored, UnknownService
from carewright.kernel import audit, outbox
from carewright.kernel.db import Session
from carewright.kernel.idempotency import once, remember
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars, Kind
from carewright.scheduling.model import masters as rules
from carewright.scheduling.store import masters as store


def mirroring(ctx: SchedulingContext, source: str | None) -> SchedulingContext:
    """The context in which what `source` did is written; the same for None. Raises `Forbidden`."""
    if source is None:
        return ctx
    ctx.actor.require("scheduling.appointment.mirror")
    return replace(ctx, mirrors=source)


def ensure_writes(ctx: SchedulingContext, calendars: Calendars, kind: Kind, site_id: UUID) -> None:
    """As `ensure_master`, as the live copy knows it. It saves the way to the database, which decides (`scheduling.master_of`)."""
    known = calendars.mirrored.get((kind.value.healthcare_service_id, site_id))
    ensure_master(ctx, calendars, kind.value.id, site_id, known.source if known else None)


def ensure_master(ctx: SchedulingContext, calendars: Calendars, visit_type_id: UUID, site_id: UUID, master: str | None) -> None:
    """Raise `BookedElsewhere`, with where to book instead, unless the actor writes in the stead of `master`; None is ourselves.

    `NotMirrored` is for a mirror of what is not master.
    """
    facts = {"visit_type_id": str(visit_type_id), "site_id": str(site_id)}
    if master != ctx.mirrors and ctx.mirrors is not None:
        raise NotMirrored(**facts)
    if master != ctx.mirrors:
        kind = calendars.visit_types.get(visit_type_id)
        known = calendars.mirrored.get((kind.value.healthcare_service_id, site_id)) if kind else None
        where = f"This visit is still booked, moved and cancelled elsewhere: {known.book_at}" if known else None
        raise BookedElsewhere(where, **facts)


async def ask_master(ctx: SchedulingContext, tx: Session, calendars: Calendars, visit_type_id: UUID, site_id: UUID) -> None:
    """As `ensure_writes`, by the database, and true until the transaction ends. Asked before anything else is locked."""
    master = await store.master_of(tx, calendars.organization_id, visit_type_id, site_id)
    ensure_master(ctx, calendars, visit_type_id, site_id, master)


def is_ours(calendars: Calendars, kind: Kind, site_id: UUID) -> bool:
    """Whether we are master of this kind of visit there."""
    return (kind.value.healthcare_service_id, site_id) not in calendars.mirrored


async def change_master(ctx: SchedulingContext, command: ChangeMaster) -> Masters:
    """Take one step with a service, everywhere or nowhere; who and why stays. Answers how its sites stand then.

    Waits for every appointment that is just being written, and has later ones wait for it. Raises `UnknownService`, `WrongMasterStep`, and
    `Unavailable` where somebody writes for longer than a second.
    """
    ctx.actor.require("scheduling.master.change")
    rules.ensure_in_form(command)
    calendars, cipher = await ctx.calendars(), await ctx.cipher()

    async def work() -> Masters:
        async with ctx.db.transaction() as tx:
            await store.lock_masters(tx)
            standing = {each.site_id: each for each in await store.masters(tx, cipher) if each.service_id == command.service_id}
            site_ids = _sites(ctx, calendars, command, standing)
            rules.ensure_step(command, site_ids, standing)
            about = [audit.Entity(type="HealthcareService", id=command.service_id)]
            about += [audit.Entity(type="Location", id=each) for each in site_ids]
            entry = audit.entry(ctx, "scheduling.master.change", "U", entities=tuple(about))
            await store.insert_step(tx, cipher, command, site_ids, entry)
            if command.step == "begin":
                await store.begin(tx, cipher.organization_id, command, site_ids, entry.id)
            else:
                await store.step(tx, cipher.organization_id, command.service_id, site_ids, rules.LEADS_TO[command.step], entry.id)
            await outbox.publish(ctx, tx, CatalogueChanged(organization_id=cipher.organization_id, entry_id=command.service_id))
            await audit.record(tx, entry)
            after = (each for each in await store.masters(tx, cipher) if each.service_id == command.service_id)
            answer = _named(calendars, after)
            await remember(ctx, tx, answer)
        await ctx.live.reload_catalogue(calendars)
        ctx.wake()
        return answer

    return await once(ctx, Masters, work)


async def list_masters(ctx: SchedulingContext) -> Masters:
    """Every service at a site that was begun to be moved, and how it stands."""
    ctx.actor.require("scheduling.master.read")
    calendars, cipher = await ctx.calendars(), await ctx.cipher()
    return _named(calendars, (each for each in await store.masters(ctx.db, cipher) if ctx.actor.works_at(each.site_id)))


def _sites(ctx: SchedulingContext, calendars: Calendars, command: ChangeMaster, standing: dict[UUID, Master]) -> Sequence[UUID]:
    """Those that are named, or all from which the step leads on. Raises `UnknownService` where the service is not offered."""
    kinds = [kind.value for kind in calendars.visit_types.values() if kind.value.healthcare_service_id == command.service_id]
    offered = {site for kind in kinds for site in kind.rules.site_ids or calendars.sites if site in calendars.sites}
    ready = {each for each, master in standing.items() if master.stage == rules.COMES_FROM[command.step]}
    wanted = set(command.site_ids) or (offered if command.step == "begin" else ready or set(standing))
    if not wanted or not wanted <= offered | set(standing):
        raise UnknownService(service_id=str(command.service_id))
    for each in wanted:
        ctx.require_site(each)
    return sorted(wanted)


def _named(calendars: Calendars, masters: Iterable[Master]) -> Masters:
    """With the kinds of visits that each service has."""
    kinds: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for kind in calendars.visit_types.values():
        kinds[kind.value.healthcare_service_id].append(kind.value.id)
    return Masters(items=tuple(msgspec.structs.replace(each, visit_type_ids=tuple(sorted(kinds[each.service_id]))) for each in masters))
