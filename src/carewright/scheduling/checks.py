"""What must always hold of scheduling's tables, asked independently of the constraints that ensure it."""

from collections.abc import Awaitable, Callable

from carewright.kernel.sql import load
from carewright.scheduling.context import SchedulingContext

Q = load("carewright.scheduling")


async def no_overlap(ctx: SchedulingContext) -> list[str]:
    rows = await ctx.db.fetch(Q.overlapping_claims)
    return [f"appointments {row['one']} and {row['other']} hold the same time" for row in rows]


async def claims_match_states(ctx: SchedulingContext) -> list[str]:
    rows = await ctx.db.fetch(Q.appointments_without_claims, ctx.clock.now())
    return [f"appointment {row['id']} and its claims do not fit its state" for row in rows]


async def all_claims_or_none(ctx: SchedulingContext) -> list[str]:
    rows = await ctx.db.fetch(Q.partial_claims)
    return [f"appointment {row['id']} holds {row['held']} of {row['needed']} claims" for row in rows]


async def no_claims_of_nobody(ctx: SchedulingContext) -> list[str]:
    rows = await ctx.db.fetch(Q.claims_of_nobody)
    return [f"time is held for {row['appointment_id']}, which is no appointment, no turn and no open offer" for row in rows]


async def offers_keep_time(ctx: SchedulingContext) -> list[str]:
    rows = await ctx.db.fetch(Q.offers_without_claims)
    return [f"offer {row['id']} is open and does not keep its time" for row in rows]


async def nothing_of_merged(ctx: SchedulingContext) -> list[str]:
    rows = await ctx.db.fetch(Q.appointments_of_merged)
    return [f"appointment {row['id']} is a record's that was merged: merge it again" for row in rows]


async def links_are_of_one_patient(ctx: SchedulingContext) -> list[str]:
    rows = await ctx.db.fetch(Q.links_of_merged)
    return [f"link {row['id']} is of an appointment of somebody else" for row in rows]


CHECKS: dict[str, Callable[[SchedulingContext], Awaitable[list[str]]]] = {
    "no two claims overlap": no_overlap,
    "live appointments hold time, dead ones none": claims_match_states,
    "all time is held by somebody": no_claims_of_nobody,
    "an open offer keeps its time": offers_keep_time,
    "no appointment is left with a record that was merged": nothing_of_merged,
    "what is linked is one patient's": links_are_of_one_patient,
    "an appointment holds all its claims or none": all_claims_or_none,
}
