"""Kept proposals of day plans, and the rules of sites for them: rows to values. One function runs one named query."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from carewright.contracts.planner import (
    DayPlan,
    KeptPlan,
    ListPlans,
    MoveMade,
    PlanCause,
    PlanDay,
    PlanFault,
    PlanningRules,
    PlanningWeights,
    PlanState,
    SetPlanningRules,
)
from carewright.kernel.db import Row, Session
from carewright.kernel.sql import load

Q = load("carewright.scheduling")
_asked = msgspec.json.Decoder(PlanDay).decode
_plan = msgspec.json.Decoder(DayPlan).decode
_made = msgspec.json.Decoder(tuple[MoveMade, ...]).decode
SAME = (
    "id", "site_id", "state", "cause", "outage_id", "asked_at", "asked_by", "from_at", "until_at", "percent", "worth_minutes", "ended_at",
    "fault", "moves", "moved", "refused", "version",
)  # fmt: skip
RULES = ("proposes", "accepts", "moves_most", "minutes_most")


class Silent(NamedTuple):
    """A search at which nobody is, and how often it was begun."""

    organization_id: UUID
    id: UUID
    begun: int


class Wanted(NamedTuple):
    """A search that is wanted: for what, and why."""

    asked: PlanDay
    cause: PlanCause
    outage_id: UUID | None = None
    asked_by: str | None = None


async def insert(
    tx: Session, organization_id: UUID, plan_id: UUID, wanted: Wanted, period: tuple[datetime, datetime], now: datetime
) -> KeptPlan | None:
    """The search that is wanted from now on; None where one runs at the site."""
    asked, cause, outage_id, by = wanted
    row = await tx.fetch_one(Q.insert_day_plan, organization_id, plan_id, asked.site_id, cause, outage_id, asked, now, by, *period)
    return _kept(row) if row else None


async def searching(db: Session, organization_id: UUID, site_id: UUID) -> KeptPlan | None:
    """What is searched for at a site."""
    row = await db.fetch_one(Q.day_plan_searching, organization_id, site_id)
    return _kept(row) if row else None


async def by_id(db: Session, organization_id: UUID, plan_id: UUID) -> KeptPlan | None:
    row = await db.fetch_one(Q.day_plan_by_id, organization_id, plan_id)
    return _kept(row) if row else None


async def for_change(tx: Session, organization_id: UUID, plan_id: UUID) -> KeptPlan | None:
    """A plan, its row locked until the transaction ends."""
    row = await tx.fetch_one(Q.day_plan_for_change, organization_id, plan_id)
    return _kept(row) if row else None


async def page(db: Session, organization_id: UUID, query: ListPlans) -> list[KeptPlan]:
    """One more than a page, the newest first, without what was found."""
    return [_kept(row) for row in await db.fetch(Q.day_plans_page, organization_id, query.site_id, query.after, query.limit + 1)]


async def begin(db: Session, organization_id: UUID, plan_id: UUID, now: datetime, silent_since: datetime) -> KeptPlan | None:
    """The search, which is the caller's from now on; None where nobody wants it, or somebody else is at it."""
    row = await db.fetch_one(Q.begin_day_plan, organization_id, plan_id, now, silent_since)
    return _kept(row) if row else None


async def hear_of(db: Session, organization_id: UUID, plan_id: UUID, now: datetime) -> bool:
    """Note that somebody is at it; whether anybody wants it still."""
    return await db.fetch_one(Q.hear_of_day_plan, organization_id, plan_id, now) is not None


async def advance(db: Session, organization_id: UUID, plan_id: UUID, percent: int, worth_minutes: float | None) -> None:
    await db.execute(Q.advance_day_plan, organization_id, plan_id, percent, worth_minutes)


async def end(
    tx: Session,
    organization_id: UUID,
    plan_id: UUID,
    state: PlanState,
    now: datetime,
    plan: DayPlan | None = None,
    fault: PlanFault | None = None,
) -> KeptPlan | None:
    """The search that has ended so; None where it had ended."""
    row = await tx.fetch_one(Q.end_day_plan, organization_id, plan_id, state, now, plan, len(plan.moves) if plan else 0, fault)
    return _kept(row) if row else None


async def put_aside(tx: Session, organization_id: UUID, plan_id: UUID) -> KeptPlan:
    """Nobody wants what was found. The caller holds the row."""
    (row,) = await tx.fetch(Q.put_day_plan_aside, organization_id, plan_id)
    return _kept(row)


async def note_made(tx: Session, organization_id: UUID, plan_id: UUID, made: Sequence[MoveMade]) -> KeptPlan:
    """What became of moves so far. The caller holds the row."""
    moved = sum(each.outcome == "moved" for each in made)
    (row,) = await tx.fetch(Q.note_day_plan_made, organization_id, plan_id, list(made), moved, len(made) - moved)
    return _kept(row)


async def silent(db: Session, since: datetime, limit: int) -> list[Silent]:
    """Searches of every organization at which nobody was heard since then."""
    return [Silent(row["organization_id"], row["id"], row["begun"]) for row in await db.fetch(Q.silent_day_plans, since, limit)]


async def for_outage(tx: Session, organization_id: UUID, outage_id: UUID) -> list[KeptPlan]:
    """What is searched for or proposed because of it, and not decided about, locked."""
    return [_kept(row) for row in await tx.fetch(Q.day_plans_for_outage, organization_id, outage_id)]


async def is_covered(db: Session, organization_id: UUID, site_id: UUID, moment: datetime, since: datetime) -> bool:
    """Whether that moment is planned by itself, by a search that was asked for after `since`."""
    return await db.fetch_one(Q.day_plan_since, organization_id, site_id, moment, since) is not None


async def first_start(db: Session, organization_id: UUID, site_id: UUID, appointment_ids: Collection[UUID]) -> datetime | None:
    """When the first of these begins that is at the site."""
    row = await db.fetch_one(Q.first_start_of, organization_id, list(appointment_ids), str(site_id))
    start: datetime | None = row["start"] if row else None
    return start


async def forget_past(db: Session, before: datetime, limit: int) -> int:
    """Drop what was asked before that, of every organization; how many there were."""
    return len(await db.fetch(Q.forget_day_plans, before, limit))


async def rules_of(db: Session, organization_id: UUID, site_id: UUID) -> PlanningRules | None:
    """None for a site that we do not know."""
    row = await db.fetch_one(Q.planning_rules, organization_id, site_id)
    if row is None:
        return None
    weights = PlanningWeights(**{name: row[f"weight_{name}"] for name in PlanningWeights.__struct_fields__})
    return PlanningRules(site_id=site_id, weights=weights, **{name: row[name] for name in RULES})


async def set_rules(tx: Session, organization_id: UUID, command: SetPlanningRules) -> bool:
    """Whether there is such a site."""
    args = *(getattr(command, name) for name in RULES), *msgspec.structs.astuple(command.weights)
    return await tx.fetch_one(Q.set_planning_rules, organization_id, command.site_id, *args) is not None


def _kept(row: Row) -> KeptPlan:
    """What was found is left out of a page, which says what is gained by it."""
    found, made = row.get("plan"), row.get("made")
    plan = _plan(found) if found else None
    gained = plan.proposed.placed - plan.booked.placed if plan else row.get("gained") or 0
    return KeptPlan(**{name: row[name] for name in SAME}, asked=_asked(row["asked"]), gained=gained, plan=plan, made=_made(made or b"[]"))
