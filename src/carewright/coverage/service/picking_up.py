"""Answers that come as files, and those that do not come."""

import asyncio
from uuid import UUID

from carewright.contracts.coverage import Eligibility
from carewright.coverage import store
from carewright.coverage.clearing.drop import Drop
from carewright.coverage.clearing.port import NoAnswer
from carewright.coverage.clearing.x12 import answer_in, traces_in
from carewright.coverage.context import CoverageContext
from carewright.coverage.model.question import Question
from carewright.coverage.service.checking import complete, entry_of, unanswered
from carewright.coverage.service.reviewing import take_review
from carewright.coverage.service.stopping import tell_stops
from carewright.kernel import audit

GIVEN_UP_MAX = 200


async def pick_up(ctx: CoverageContext) -> int:
    """Take what lies there; how many answers were waited for. `ctx` is the system's. What nobody waits for is put aside, not lost."""
    return sum([await _pick_up(ctx, each) for each in ctx.drops])


async def _pick_up(ctx: CoverageContext, drop: Drop) -> int:
    taken = 0
    for path in await asyncio.to_thread(drop.arrived):
        is_known = await _is_taken(ctx, await asyncio.to_thread(drop.read, path))
        await asyncio.to_thread(drop.put_away, path, is_known=is_known)
        taken += is_known
    return taken


async def _is_taken(ctx: CoverageContext, raw: bytes) -> bool:
    """Whether somebody waited for what a file says."""
    traces = traces_in(raw)
    for whose, take in ((await store.whose_traces(ctx.db, traces), _take), (await store.whose_requests(ctx.db, traces), take_review)):
        if len(whose) == 1:
            return await take(ctx.working_in(whose[0][0]), whose[0][1], raw)
    return False


async def give_up(ctx: CoverageContext) -> int:
    """End questions whose answers did not come in their time: the desk is told so, and may ask again."""
    late = await store.waiting_too_long(ctx.db, ctx.clock.now() - ctx.wait_for_files, GIVEN_UP_MAX)
    for organization_id, eligibility_id in late:
        here = ctx.working_in(organization_id)
        found = await store.question_waiting(here.db, await here.cipher(), eligibility_id)
        if found is not None:
            await _settle(here, unanswered(found[0], "payer-away", ctx.clock.now()))
    return len(late)


async def _take(ctx: CoverageContext, eligibility_id: UUID, raw: bytes) -> bool:
    found = await store.question_waiting(ctx.db, await ctx.cipher(), eligibility_id)
    return found is not None and await _settle(ctx, _read(ctx, *found, raw))


def _read(ctx: CoverageContext, one: Eligibility, question: Question, raw: bytes) -> Eligibility:
    try:
        return complete(one, question, answer_in(raw, question), ctx.clock.now())
    except NoAnswer as none:
        return unanswered(one, none.reason, ctx.clock.now())


async def _settle(ctx: CoverageContext, one: Eligibility) -> bool:
    """False where somebody else was faster, or the patient was erased meanwhile."""
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        kept = await store.lock_patient(tx, cipher.organization_id, one.patient_id) and await store.answer_eligibility(tx, cipher, one)
        if kept:
            await tell_stops(ctx, tx, cipher, one.patient_id)
            await audit.record(tx, entry_of(ctx, "coverage.eligibility.answer", "U", one))
    return kept
