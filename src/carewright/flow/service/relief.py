"""Use cases of relief: what a queue does when more wait in it than it bears, by its policy and by hand."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from carewright.contracts.flow import ReliefChanged, WalkInsPaused
from carewright.contracts.queue import Arrive, Queue
from carewright.contracts.relief import OtherSite, OtherSites, QueueRelief, Relief, ReliefBy, ReliefKind, SetRelief
from carewright.flow.model import relief as rules
from carewright.flow.service import estimates
from carewright.flow.service.turns import get_queue
from carewright.flow.store import queue as queues
from carewright.flow.store import relief as store
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.idempotency import once_committed
from carewright.kernel.outbox import publish

READ = "flow.relief.read"
CHANGE = "flow.relief.change"
WATCHED_MAX = 1_000
"""So many queues are asked for at once."""
OTHER_SITES_MAX = 5


async def get_relief(ctx: Context, queue_id: UUID) -> QueueRelief:
    """Which steps of a queue are on, and which were. Raises `UnknownQueue`."""
    ctx.actor.require(READ)
    async with ctx.db.transaction() as tx:
        return await _stands(ctx, tx, await get_queue(ctx, tx, queue_id))


async def set_relief(ctx: Context, command: SetRelief) -> QueueRelief:
    """Begin or end a step by hand; what is so already stays so. Raises `UnknownQueue`."""
    ctx.actor.require(CHANGE)

    async def work(tx: Session) -> QueueRelief:
        queue = await get_queue(ctx, tx, command.queue_id)
        load = rules.Load(await store.waiting_in(tx, ctx.actor.organization_id, queue.id), None)
        await _set(ctx, tx, queue, rules.Due(command.what, command.is_on, command.reason), load, ctx.actor.subject)
        about = (audit.Entity(type="Queue", id=queue.id),)
        await audit.record(tx, audit.entry(ctx, "flow.relief.set", "U", entities=about))
        return await _stands(ctx, tx, queue)

    return await once_committed(ctx, QueueRelief, work)


async def list_other_sites(ctx: Context, queue_id: UUID) -> OtherSites:
    """Where else the service of a queue is to be had, and how long one waits there. Raises `UnknownQueue`."""
    ctx.actor.require(READ)
    return OtherSites(items=await other_sites(ctx, await get_queue(ctx, ctx.db, queue_id)))


async def other_sites_for(ctx: Context, queue: Queue, command: Arrive) -> tuple[OtherSite, ...]:
    """What a routine walk-in is told of other sites where they wait less, while that step is on; nobody else is told anything.

    Raises `WalkInsPaused` where no routine walk-ins are taken and the patient has no turn here yet.
    """
    if not rules.is_routine_walk_in(command.tier, command.encounter_id, command.expected_at):
        return ()
    on = await steps_on(ctx, queue)
    paused = on.get("pause-walk-ins")
    if paused is not None and await queues.entry_in_the_way(ctx.db, ctx.actor.organization_id, queue.id, command.patient_id, None) is None:
        raise await walk_ins_paused(ctx, queue, paused)
    return await less_elsewhere(ctx, queue) if "other-site" in on else ()


async def steps_on(ctx: Context, queue: Queue) -> dict[ReliefKind, Relief]:
    """What the queue does now because too many wait."""
    return {each.what: each for each in await store.on(ctx.db, ctx.actor.organization_id, [queue.id])}


async def less_elsewhere(ctx: Context, queue: Queue) -> tuple[OtherSite, ...]:
    """Other sites of the service where one waits less."""
    return tuple(each for each in await other_sites(ctx, queue) if each.waits_less)


async def walk_ins_paused(ctx: Context, queue: Queue, paused: Relief) -> WalkInsPaused:
    """That no routine walk-ins are taken, and where they are."""
    return _paused(paused, await other_sites(ctx, queue))


async def watch(ctx: Context) -> int:
    """Do what is due in every queue whose policy has steps. The timer's turn; how many steps began or ended."""
    done, after = 0, store.START
    while found := await store.queues_to_watch(ctx.db, after, WATCHED_MAX):
        for each in found:
            done += await _act(ctx.working_in(each.organization_id), each)
        after = found[-1].organization_id, found[-1].queue.id
    return done


async def _act(ctx: Context, watched: store.Watched) -> int:
    """Do what is due in one queue, in the organization in which `ctx` works."""
    queue, now = watched.queue, ctx.clock.now()
    asks_minutes = any(rule.from_minutes is not None for rule in queue.policy.relief)
    load = await _load(ctx, queue, watched.waiting) if asks_minutes else rules.Load(watched.waiting, None)
    found = rules.due(queue.policy.relief, watched.last, load, now)
    if not found:
        return 0
    async with ctx.db.transaction() as tx:
        changed = [each for each in found if await _set(ctx, tx, queue, each, load, None)]
        about = (audit.Entity(type="Queue", id=queue.id),)
        for each in changed:
            deed = "flow.relief.begin" if each.is_on else "flow.relief.end"
            await audit.record(tx, audit.entry_of_system(ctx, ctx.actor.organization_id, deed, "U", entities=about))
    ctx.wake()
    return len(changed)


async def _set(ctx: Context, tx: Session, queue: Queue, due: rules.Due, load: rules.Load, person: str | None) -> bool:
    """Whether the step was otherwise until now. Nobody in `person` is the policy."""
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    if due.is_on:
        changed = await store.begin(tx, organization_id, ctx.ids.new(), queue.id, due, load, now, person)
    else:
        changed = await store.end(tx, organization_id, queue.id, due, now, person)
    if changed is None:
        return False
    by: ReliefBy = "policy" if person is None else "person"
    fact = ReliefChanged(
        organization_id=organization_id, relief_id=changed.id, queue_id=queue.id, site_id=queue.site_id, service_id=queue.service_id,
        what=due.what, is_on=due.is_on, by=by, reason=due.reason, version=changed.version,
    )  # fmt: skip
    await publish(ctx, tx, fact)
    return True


async def _stands(ctx: Context, tx: Session, queue: Queue) -> QueueRelief:
    organization_id = ctx.actor.organization_id
    on = await store.on(tx, organization_id, [queue.id])
    return QueueRelief(on=tuple(on), past=tuple(await store.past(tx, organization_id, queue.id)))


async def _load(ctx: Context, queue: Queue, waiting: int) -> rules.Load:
    return rules.Load(waiting, await estimates.longest_wait(ctx, queue) if waiting else 0)


async def other_sites(ctx: Context, queue: Queue) -> tuple[OtherSite, ...]:
    """Other sites of the service where walk-ins are taken, the shortest wait first."""
    organization_id = ctx.actor.organization_id
    there = await store.queues_of_service(ctx.db, organization_id, queue, OTHER_SITES_MAX)
    if not there:
        return ()
    here = await _load(ctx, queue, await store.waiting_in(ctx.db, organization_id, queue.id))
    loads = [(each, await _load(ctx, each.queue, each.waiting)) for each in there]
    return tuple(
        OtherSite(
            queue_id=each.queue.id, site_id=each.queue.site_id, site_name=each.site_name, waiting=load.waiting, minutes=load.minutes,
            waits_less=rules.is_less(load, here),
        )
        for each, load in sorted(loads, key=lambda pair: rules.in_order(pair[1]))
    )  # fmt: skip


def _paused(paused: Relief, there: Sequence[OtherSite]) -> WalkInsPaused:
    told: list[dict[str, str | int | None]] = [
        {"queue_id": str(each.queue_id), "site_id": str(each.site_id), "waiting": each.waiting, "minutes": each.minutes} for each in there
    ]
    detail = " ".join((WalkInsPaused.title, *_told(there)))
    return WalkInsPaused(detail, queue_id=str(paused.queue_id), since=paused.begun_at.isoformat(), other_sites=told)


def _told(there: Iterable[OtherSite]) -> Iterable[str]:
    for each in there:
        wait = f"about {each.minutes} minutes" if each.minutes is not None else f"{each.waiting} waiting"
        yield f"{each.site_name}: {wait}."
