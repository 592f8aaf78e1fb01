"""Retention, residency and legal holds. One function, one transaction, one permission."""

from uuid import UUID

from carewright.contracts.records import (
    RULES,
    BelowFloor,
    Hold,
    HoldsPage,
    Keeping,
    LiftHold,
    ListHolds,
    NeverDisposed,
    Retention,
    SetHold,
    SetJurisdiction,
    SetRetention,
    UnknownHold,
    days_kept,
    rule_of,
)
from carewright.kernel import audit, keeping
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.idempotency import once, remember

READ = "records.retention.read"
CHANGE = "records.retention.change"
HOLD = "records.hold"
FIRST_ID = UUID(int=0)


async def get_keeping(ctx: Context) -> Keeping:
    """How long what is kept here, and where."""
    ctx.actor.require(READ)
    return await _keeping(ctx, ctx.db)


async def set_retention(ctx: Context, command: SetRetention) -> Keeping:
    """Keep one kind of record for another time. Raises `BelowFloor`, `NeverDisposed`."""
    ctx.actor.require(CHANGE)
    organization_id = ctx.actor.organization_id
    async with ctx.db.transaction() as tx:
        rules = await keeping.rules_of(tx, organization_id)
        rule = rule_of(command.what, rules.state)
        if rule.default is None:
            raise NeverDisposed(what=command.what)
        if command.days is not None and command.days < rule.floor:
            raise BelowFloor(what=command.what, floor_days=rule.floor, source=rule.source)
        await keeping.set_rule(tx, organization_id, command.what, command.days, ctx.clock.now())
        await audit.record(tx, audit.entry(ctx, "records.retention.set", "U"))
        return await _keeping(ctx, tx)


async def set_jurisdiction(ctx: Context, command: SetJurisdiction) -> Keeping:
    """Declare where the organization's records may lie. Raises `RegionNotServed` for a region that this installation is not in."""
    ctx.actor.require(CHANGE)
    ctx.vault.ensure_serves(command.region)
    async with ctx.db.transaction() as tx:
        await keeping.set_jurisdiction(tx, ctx.actor.organization_id, command.region, command.state, ctx.clock.now())
        await audit.record(tx, audit.entry(ctx, "records.jurisdiction.set", "U"))
        return await _keeping(ctx, tx)


async def set_hold(ctx: Context, command: SetHold) -> Hold:
    """Let nothing of this patient be disposed of or erased from now on, or nothing of anybody."""
    ctx.actor.require(HOLD)
    cipher = await ctx.cipher()

    async def work() -> Hold:
        held = Hold(
            id=ctx.ids.new(), patient_id=command.patient_id, reason=command.reason, set_by=ctx.actor.subject, set_at=ctx.clock.now()
        )
        async with ctx.db.transaction() as tx:
            await keeping.insert_hold(tx, cipher, held.id, held.patient_id, held.reason, held.set_by, held.set_at)
            await audit.record(tx, _entry(ctx, "records.hold.set", "C", held.id, held.patient_id))
            await remember(ctx, tx, held)
        return held

    return await once(ctx, Hold, work)


async def lift_hold(ctx: Context, command: LiftHold) -> Hold:
    """Let things go their way again. Raises `UnknownHold` for one that was lifted before, too."""
    ctx.actor.require(HOLD)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        row = await keeping.hold_for_change(tx, cipher, command.hold_id)
        if row is None or row["lifted_at"] is not None:
            raise UnknownHold(hold_id=str(command.hold_id))
        now, by = ctx.clock.now(), ctx.actor.subject
        await keeping.lift_hold(tx, cipher, command.hold_id, by, command.reason, now)
        await audit.record(tx, _entry(ctx, "records.hold.lift", "U", command.hold_id, row["patient_id"]))
    return Hold(**{**row, "lifted_at": now, "lifted_by": by, "lift_reason": command.reason})


async def list_holds(ctx: Context, query: ListHolds) -> HoldsPage:
    """What is on hold, oldest first."""
    ctx.actor.require(HOLD)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        rows = await keeping.holds(tx, cipher, query.after or FIRST_ID, query.limit, lifted=query.lifted)
        patients = (row["patient_id"] for row in rows if row["patient_id"] is not None)
        await audit.record(tx, *audit.entries_for_patients(ctx, "records.hold.list", "R", patients))
    return HoldsPage(items=tuple(Hold(**row) for row in rows))


async def _keeping(ctx: Context, db: Session) -> Keeping:
    rules = await keeping.rules_of(db, ctx.actor.organization_id)
    return Keeping(region=rules.region, state=rules.state, rules=tuple(_retention(what, rules) for what in RULES))


def _retention(what: str, rules: keeping.Rules) -> Retention:
    rule = rule_of(what, rules.state)
    return Retention(
        what=what,  # type: ignore[arg-type]  # the table's names are the literal's: a test compares them
        days=days_kept(what, rules.days.get(what), rules.state), floor_days=rule.floor, counted_from=rule.counted_from,
        source=rule.source, chosen=what in rules.days,
    )  # fmt: skip


def _entry(ctx: Context, event: str, action: audit.Action, hold_id: UUID, patient_id: UUID | None) -> audit.Entry:
    return audit.entry(ctx, event, action, patient_id=patient_id, entities=(audit.Entity(type="Flag", id=hold_id),))
