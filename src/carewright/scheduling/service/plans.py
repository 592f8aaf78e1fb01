"""Use cases of kept plans: a better plan for a site's day, searched for in the background, looked at, given up, and accepted, all or part.

The search is a job (`service/searching.py`). Of each site one runs at a time, and a process runs one after another. What is found is kept
by ids, codes and times, and changes nothing until moves of it are accepted.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import msgspec

from carewright.contracts.planner import (
    AcceptPlan,
    DayPlanChanged,
    GetPlanningRules,
    GiveUpPlan,
    KeptPlan,
    ListPlans,
    MoveMade,
    NoSuchMove,
    OnlySupposed,
    PlanDay,
    PlannedMove,
    PlanningRules,
    PlanNotOpen,
    PlanRuns,
    PlansPage,
    SetPlanningRules,
    UnknownPlan,
)
from carewright.contracts.scheduling import UnknownSite
from carewright.kernel import audit, jobs, outbox
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import BadInput, ensure_version
from carewright.kernel.idempotency import committed, once, once_committed
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model.posing import FARTHEST
from carewright.scheduling.service.cursors import page_of
from carewright.scheduling.service.day import span_of
from carewright.scheduling.service.picking import known_site
from carewright.scheduling.service.plan import Outcome, accept_moves
from carewright.scheduling.service.what_if import ensure_supposable
from carewright.scheduling.store import plans as store

MAKE = "scheduling.plan.make"
MOVE = "scheduling.appointment.reschedule"
READ_RULES, CHANGE_RULES = "scheduling.planning.read", "scheduling.planning.change"
RUN = "scheduling.search_plan"
"""The job that searches."""


class Started(msgspec.Struct, frozen=True):
    """The payload of that job."""

    organization_id: UUID
    plan_id: UUID


async def start_plan(ctx: SchedulingContext, command: PlanDay) -> KeptPlan:
    """Begin to search. Raises `UnknownSite`, `PlanRuns`; `BadInput` for a time that no calendar reaches; as `ensure_supposable` does."""
    ctx.actor.require(MAKE)
    ctx.require_site(command.site_id)
    calendars = await ctx.calendars()  # before the transaction, which is not to wait for them
    ensure_supposable(calendars, command, ctx.clock.now())

    async def work(tx: Session) -> KeptPlan:
        kept = await begin(ctx, tx, store.Wanted(command, "asked", asked_by=ctx.actor.subject))
        if kept is None:
            runs = await store.searching(tx, ctx.actor.organization_id, command.site_id)
            raise PlanRuns(plan_id=str(runs.id) if runs else None)
        await _note(ctx, tx, "scheduling.plan.propose", "C", kept)
        return kept

    return await once_committed(ctx, KeptPlan, work)


async def begin(ctx: SchedulingContext, tx: Session, wanted: store.Wanted) -> KeptPlan | None:
    """Have a search begin when the transaction commits; None where one runs at the site."""
    calendars, now = await ctx.calendars(), ctx.clock.now()
    first, end = span_of(calendars, wanted.asked, now)
    period = calendars.index.horizon.instant_of(first), calendars.index.horizon.instant_of(end)
    kept = await store.insert(tx, calendars.organization_id, ctx.ids.new(), wanted, period, now)
    if kept is not None:
        await have_searched(ctx, tx, kept.id)
        await publish(ctx, tx, kept)
    return kept


async def have_searched(ctx: Context, tx: Session, plan_id: UUID, again: int = 0) -> None:
    """Queue the search, for the first time or `again`."""
    await jobs.enqueue(ctx, tx, RUN, Started(ctx.actor.organization_id, plan_id), unique_key=f"{plan_id}:{again}")


async def get_plan(ctx: SchedulingContext, plan_id: UUID) -> KeptPlan:
    """One, with what was found and what became of its moves. Raises `UnknownPlan`.

    A search shows nothing of anybody until it has found something; only then is it noted who looked.
    """
    ctx.actor.require(MAKE)
    async with ctx.db.transaction() as tx:
        kept = _own(ctx, plan_id, await store.by_id(tx, ctx.actor.organization_id, plan_id))
        if kept.plan is not None:
            await _note(ctx, tx, "scheduling.plan.read", "R", kept)
    return kept


async def list_plans(ctx: SchedulingContext, query: ListPlans) -> PlansPage:
    """Those of a site, the newest first. Raises `UnknownSite`."""
    ctx.actor.require(MAKE)
    ctx.require_site(query.site_id)
    known_site(await ctx.calendars(), query.site_id)
    found = await store.page(ctx.db, ctx.actor.organization_id, query)
    items, after = page_of(found, query.limit)
    return PlansPage(items=items, next=after)


async def give_up_plan(ctx: SchedulingContext, command: GiveUpPlan) -> KeptPlan:
    """End a search, which stops within a second; or put aside what was found, as long as nothing of it was accepted.

    Raises `UnknownPlan`, `PlanNotOpen`, and `PreconditionFailed` where it changed meanwhile.
    """
    ctx.actor.require(MAKE)

    async def work(tx: Session) -> KeptPlan:
        kept = _own(ctx, command.plan_id, await store.for_change(tx, ctx.actor.organization_id, command.plan_id))
        ensure_version(kept.version, command.expected_version)
        await _note(ctx, tx, "scheduling.plan.give_up", "U", kept)
        return await give_up(ctx, tx, ctx.actor.organization_id, kept)

    return await once_committed(ctx, KeptPlan, work)


async def give_up(ctx: Context, tx: Session, organization_id: UUID, kept: KeptPlan) -> KeptPlan:
    """The same in the caller's transaction, which holds the row. Raises `PlanNotOpen`."""
    if kept.state not in ("searching", "proposed"):
        raise _not_open(kept)
    if kept.state == "searching":
        ended = await store.end(tx, organization_id, kept.id, "given-up", ctx.clock.now()) or kept
    else:
        ended = await store.put_aside(tx, organization_id, kept.id)
    await publish(ctx, tx, ended, organization_id)
    return ended


async def accept_plan(ctx: SchedulingContext, command: AcceptPlan) -> KeptPlan:
    """Make moves of what was found, as many as still can be made, and write down what became of each.

    Asked again, by whomever, it goes on where it was: what was made stays so, what was refused is tried once more.
    Raises `UnknownPlan`, `PlanNotOpen`, `OnlySupposed`, `NoSuchMove`, and `PreconditionFailed` where it changed meanwhile.
    """
    ctx.actor.require(MAKE)
    ctx.actor.require(MOVE)

    async def work() -> KeptPlan:
        kept = _own(ctx, command.plan_id, await store.by_id(ctx.db, ctx.actor.organization_id, command.plan_id))
        ensure_version(kept.version, command.expected_version)
        outcomes = await accept_moves(ctx, _wanted(kept, command.appointment_ids))
        made = [_made(id_, outcome) for id_, outcome in outcomes.items()]
        return await committed(ctx, lambda tx: note_made(ctx, tx, kept.id, made))

    return await once(ctx, KeptPlan, work)


async def note_made(ctx: SchedulingContext, tx: Session, plan_id: UUID, made: Sequence[MoveMade]) -> KeptPlan:
    """Write down what became of moves, beside what is known of them and of others: a move that was made stays so."""
    kept = _own(ctx, plan_id, await store.for_change(tx, ctx.actor.organization_id, plan_id))
    known = {each.appointment_id: each for each in kept.made}
    new = {each.appointment_id: each for each in made if not _is_made(known, each.appointment_id)}
    noted = await store.note_made(tx, ctx.actor.organization_id, plan_id, list((known | new).values()))
    await _note(ctx, tx, "scheduling.plan.accept", "U", noted)
    await publish(ctx, tx, noted)
    return noted


async def get_planning_rules(ctx: SchedulingContext, query: GetPlanningRules) -> PlanningRules:
    """What is done by itself at one of the actor's sites, and what its plans weigh. Raises `UnknownSite`."""
    ctx.actor.require(READ_RULES)
    ctx.require_site(query.site_id)
    rules = await store.rules_of(ctx.db, ctx.actor.organization_id, query.site_id)
    if rules is None:
        raise UnknownSite(site_id=str(query.site_id))
    return rules


async def set_planning_rules(ctx: SchedulingContext, command: SetPlanningRules) -> PlanningRules:
    """Set that. Raises `UnknownSite`; `BadInput` for weights by which a plan would leave people without a place rather than move them."""
    ctx.actor.require(CHANGE_RULES)
    ctx.require_site(command.site_id)
    if command.weights.drop < FARTHEST * command.weights.move:
        raise BadInput(f"Having no time weighs {FARTHEST} times as much as being moved, at least.", parameter="weights.drop")

    async def work(tx: Session) -> PlanningRules:
        if not await store.set_rules(tx, ctx.actor.organization_id, command):
            raise UnknownSite(site_id=str(command.site_id))
        site = audit.Entity(type="Location", id=command.site_id)
        await audit.record(tx, audit.entry(ctx, "scheduling.planning.set", "U", entities=(site,)))
        return PlanningRules(**msgspec.structs.asdict(command))

    return await once_committed(ctx, PlanningRules, work)


async def publish(ctx: Context, tx: Session, kept: KeptPlan, organization_id: UUID | None = None) -> None:
    """Say how it stands."""
    fact = DayPlanChanged(
        organization_id=organization_id or ctx.actor.organization_id, plan_id=kept.id, site_id=kept.site_id, state=kept.state,
        cause=kept.cause, outage_id=kept.outage_id, fault=kept.fault, moves=kept.moves, moved=kept.moved, refused=kept.refused,
        version=kept.version,
    )  # fmt: skip
    await outbox.publish(ctx, tx, fact)


def _wanted(kept: KeptPlan, appointment_ids: Iterable[UUID] | None) -> list[PlannedMove]:
    """The moves that are named, or all, without those that were made. Raises `OnlySupposed`, `PlanNotOpen`, `NoSuchMove`."""
    if kept.asked.what_if is not None:
        raise OnlySupposed(plan_id=str(kept.id))
    if kept.plan is None or kept.state not in ("proposed", "accepted"):
        raise _not_open(kept)
    moves = {each.appointment_id: each for each in kept.plan.moves}
    named = list(moves) if appointment_ids is None else list(appointment_ids)
    if unknown := [each for each in named if each not in moves]:
        raise NoSuchMove(appointment_id=str(unknown[0]))
    known = {each.appointment_id: each for each in kept.made}
    return [moves[each] for each in named if not _is_made(known, each)]


def _is_made(known: Mapping[UUID, MoveMade], appointment_id: UUID) -> bool:
    return appointment_id in known and known[appointment_id].outcome == "moved"


def _made(id_: UUID, outcome: Outcome) -> MoveMade:
    if outcome is True:
        return MoveMade(appointment_id=id_, outcome="moved")
    return MoveMade(appointment_id=id_, outcome="refused", code=outcome.code)


def _not_open(kept: KeptPlan) -> PlanNotOpen:
    return PlanNotOpen(plan_id=str(kept.id), plan_state=kept.state)


def _own(ctx: SchedulingContext, plan_id: UUID, kept: KeptPlan | None) -> KeptPlan:
    """The plan, if there is one at the actor's sites. To others it does not exist."""
    if kept is None or not ctx.actor.works_at(kept.site_id):
        raise UnknownPlan(plan_id=str(plan_id))
    return kept


async def _note(ctx: SchedulingContext, tx: Session, deed: str, action: audit.Action, kept: KeptPlan) -> None:
    await audit.record(tx, audit.entry(ctx, deed, action, entities=about(kept)))


def about(kept: KeptPlan) -> tuple[audit.Entity, ...]:
    """What a deed about a plan touches."""
    return (audit.Entity(type="Location", id=kept.site_id), audit.Entity(type="DayPlan", id=kept.id))
