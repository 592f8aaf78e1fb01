"""Use cases of tuning: the order of a queue by which its own people would be seen in time, searched for, put in force, and taken back.

The search is a job, in a process of its own: it holds up no request, takes so much time and memory and no more, and ends when nobody
wants it any more. Of each site one runs at a time.
"""

from uuid import UUID

import msgspec
from msgspec.structs import replace

from carewright.contracts.flow import TuningRuns, TuningStepNotAllowed, UnknownTuning
from carewright.contracts.queue import PutQueue, Queue, QueuePolicy
from carewright.contracts.tuning import (
    CTAS_TARGETS,
    AskDemand,
    Found,
    ListTunings,
    SeenDemand,
    StartTuning,
    StepTuning,
    Tuning,
    TuningFault,
    TuningsPage,
)
from carewright.flow.model import tuning as rules
from carewright.flow.service import turns
from carewright.flow.service.queue import CHANGE
from carewright.flow.store import queue as queues
from carewright.flow.store import tuning as store
from carewright.kernel import audit, jobs
from carewright.kernel.apart import Limits, RanOut, reckon
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import PreconditionFailed
from carewright.kernel.idempotency import once_committed

RUN = "flow.run_tuning"
"""The job that searches."""
LIMITS = Limits(cpu_seconds=300, seconds=600, mebibytes=1_024)
"""3,000 people a day take 48 to 87 s and 125 MB; less than a job's lease, so that no second one begins beside it."""
TOO_LONG = frozenset({"TimeoutError", "Killed", "MemoryError"})
SEED_BITS = 63


class Started(msgspec.Struct, frozen=True):
    """The payload of that job."""

    organization_id: UUID
    tuning_id: UUID


async def see_demand(ctx: Context, query: AskDemand) -> SeenDemand:
    """Who came to a queue and was seen, by the hour. Raises `UnknownQueue`."""
    ctx.actor.require(CHANGE)
    queue = await turns.get_queue(ctx, ctx.db, query.queue_id)
    return rules.demand_of(await _seen(ctx, ctx.db, queue, query))


async def start_tuning(ctx: Context, command: StartTuning) -> Tuning:
    """Begin a search. Raises `UnknownQueue`, `TooLittleHistory`, `TuningNotSound`, `TuningRuns`."""
    ctx.actor.require(CHANGE)

    async def work(tx: Session) -> Tuning:
        organization_id, now = ctx.actor.organization_id, ctx.clock.now()
        queue = await turns.get_queue(ctx, tx, command.queue_id)
        question = await _question(ctx, tx, queue, command)
        rules.ensure_sound(question)
        started = await store.insert(tx, organization_id, ctx.ids.new(), queue, command, question, now, ctx.actor.subject)
        if started is None:
            raise TuningRuns(tuning_id=str(await store.running_at(tx, organization_id, queue.site_id)))
        await jobs.enqueue(ctx, tx, RUN, Started(organization_id, started.id), unique_key=str(started.id))
        await _note(ctx, tx, "flow.tuning.start", "C", started)
        return started

    return await once_committed(ctx, Tuning, work)


async def list_tunings(ctx: Context, query: ListTunings) -> TuningsPage:
    """What was searched for a queue, the newest first. Raises `UnknownQueue`."""
    ctx.actor.require(CHANGE)
    queue = await turns.get_queue(ctx, ctx.db, query.queue_id)
    found = await store.tunings_of(ctx.db, ctx.actor.organization_id, queue.id)
    return TuningsPage(items=tuple(_stands(queue, each) for each in found))


async def get_tuning(ctx: Context, tuning_id: UUID) -> Tuning:
    """One search. Raises `UnknownTuning`."""
    ctx.actor.require(CHANGE)
    kept = await store.tuning_by_id(ctx.db, ctx.actor.organization_id, tuning_id)
    return _stands(*await _at(ctx, ctx.db, tuning_id, kept and kept.tuning))


async def step_tuning(ctx: Context, command: StepTuning) -> Tuning:
    """Cancel a search, put what it found in force, or put back what was in force before.

    Raises `UnknownTuning`, `TuningStepNotAllowed`, `PreconditionFailed` where somebody changed it or the queue meanwhile.
    """
    ctx.actor.require(CHANGE)

    async def work(tx: Session) -> Tuning:
        locked = await store.tuning_for_change(tx, ctx.actor.organization_id, command.tuning_id)
        queue, tuning = await _at(ctx, tx, command.tuning_id, locked)
        if command.expected_version not in (None, tuning.version):
            raise PreconditionFailed(version=tuning.version)
        return await _step(ctx, tx, queue, _stands(queue, tuning), command)

    return await once_committed(ctx, Tuning, work)


async def run_tuning(ctx: Context, tuning_id: UUID) -> None:
    """Search, in the organization in which `ctx` works. What nobody waits for any more is not searched for."""
    organization_id = ctx.actor.organization_id
    kept = await store.tuning_by_id(ctx.db, organization_id, tuning_id)
    if kept is None or kept.tuning.status != "running":
        return

    async def heard(percent: int, _: float | None) -> bool:
        return await store.advance(ctx.db, organization_id, tuning_id, percent)

    try:
        found = await reckon(rules.reckon, kept.question, Found, LIMITS, heard)
    except RanOut as ended:
        fault: TuningFault = "too-long" if ended.why in TOO_LONG else "broken"
        await store.end(ctx.db, organization_id, tuning_id, "failed", ctx.clock.now(), fault=fault)
        return
    if found is not None:
        await store.end(ctx.db, organization_id, tuning_id, "done", ctx.clock.now(), found)


async def _question(ctx: Context, tx: Session, queue: Queue, command: StartTuning) -> rules.Question:
    if command.entered and command.staff:
        asked, staff = rules.question_of_entered(command.entered), command.staff
    else:
        seen = await _seen(ctx, tx, queue, AskDemand(queue_id=queue.id, days=command.days))
        asked = rules.question_of_entered(command.entered) if command.entered else rules.question_of_seen(seen)
        staff = command.staff or rules.staff_seen(seen.spans, seen.day_count)
    arrivals, services, minutes, variation = asked
    return rules.Question(
        arrivals=arrivals, services=services, service_minutes=minutes, service_variation=variation,
        staff=staff, targets=command.targets or CTAS_TARGETS, order=command.order, policy=queue.policy,
        seed=ctx.rng.getrandbits(SEED_BITS),
    )  # fmt: skip


async def _seen(ctx: Context, db: Session, queue: Queue, query: AskDemand) -> rules.Seen:
    now = ctx.clock.now()
    return await store.seen(db, ctx.actor.organization_id, queue, query.days, now - rules.DAYS_BACK, now)


async def _at(ctx: Context, db: Session, tuning_id: UUID, tuning: Tuning | None) -> tuple[Queue, Tuning]:
    """The tuning and its queue, where the actor works there. Raises `UnknownTuning`."""
    queue = await queues.queue_by_id(db, ctx.actor.organization_id, tuning.queue_id) if tuning else None
    if tuning is None or queue is None or not ctx.actor.works_at(tuning.site_id):
        raise UnknownTuning(tuning_id=str(tuning_id))
    return queue, tuning


def _stands(queue: Queue, tuning: Tuning) -> Tuning:
    """With what can be done with it as the queue stands: what it found is in force, or is not."""
    if tuning.found is None:
        return tuning
    is_so = rules.ordered(queue.policy, tuning.found) == queue.policy
    return replace(tuning, may_apply=not is_so, may_take_back=is_so and tuning.applied_at is not None and tuning.taken_back_at is None)


async def _step(ctx: Context, tx: Session, queue: Queue, tuning: Tuning, command: StepTuning) -> Tuning:
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    if command.action == "cancel" and tuning.status == "running":
        ended = await store.end(tx, organization_id, tuning.id, "cancelled", now)
        await _note(ctx, tx, "flow.tuning.cancel", "U", tuning)
        return ended or tuning
    if command.action == "apply" and tuning.may_apply and tuning.found is not None:
        after = await _put(ctx, tx, queue, rules.ordered(queue.policy, tuning.found))
        await _note(ctx, tx, "flow.tuning.apply", "U", tuning)
        return _stands(after, await store.apply(tx, organization_id, tuning.id, rules.ordering_of(queue.policy), now))
    if command.action == "take-back" and tuning.may_take_back and tuning.former is not None:
        after = await _put(ctx, tx, queue, rules.restored(queue.policy, tuning.former))
        await _note(ctx, tx, "flow.tuning.take_back", "U", tuning)
        return _stands(after, await store.take_back(tx, organization_id, tuning.id, now))
    raise TuningStepNotAllowed(tuning_id=str(tuning.id), tuning_status=tuning.status)


async def _put(ctx: Context, tx: Session, queue: Queue, policy: QueuePolicy) -> Queue:
    command = PutQueue(
        site_id=queue.site_id, service_id=queue.service_id, name=queue.name, letter=queue.letter, policy=policy,
        expected_version=queue.version,
    )  # fmt: skip
    return await turns.put_queue(ctx, tx, command)


async def _note(ctx: Context, tx: Session, deed: str, action: audit.Action, tuning: Tuning) -> None:
    about = (audit.Entity(type="Queue", id=tuning.queue_id), audit.Entity(type="Tuning", id=tuning.id))
    await audit.record(tx, audit.entry(ctx, deed, action, entities=about))
