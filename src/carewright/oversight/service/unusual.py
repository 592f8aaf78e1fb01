"""Unusual access: found in the sealed log a while later, never on the way of a request, and looked at by a privacy officer."""

from datetime import timedelta
from uuid import UUID

import msgspec

from carewright.contracts.access import Account
from carewright.contracts.audit import AuditEvent, FindBusy, FindReads
from carewright.contracts.oversight import CloseUnusual, ListUnusual, UnknownUnusual, Unusual, UnusualNotYours, UnusualPage
from carewright.contracts.permissions import STAFF
from carewright.contracts.starts import IsExpected
from carewright.kernel import audit
from carewright.kernel.resealing import in_transaction
from carewright.oversight import store
from carewright.oversight.context import OversightContext
from carewright.oversight.model import unusual as model
from carewright.oversight.store import Noticed

REVIEW = "oversight.review"
STEPS_PER_TURN_MAX = 10
HOUR = timedelta(hours=1)
Accounts = dict[tuple[UUID, str], Account | None]


async def look_for_unusual(ctx: OversightContext) -> int:
    """Go on through the log, a few bounded steps a turn, and note what is unusual; how much there was."""
    noted = await _note(ctx, await _bulk(ctx), None)
    for _ in range(STEPS_PER_TURN_MAX):
        place = await store.place(ctx.db)
        settled = ctx.clock.now() - timedelta(minutes=ctx.settings.unusual_settle_minutes)
        page = await ctx.audit.find_reads(ctx.system, FindReads(place=place, before=settled))
        if page.place == place:
            break
        noted += await _note(ctx, await _looked_at(ctx, page.items), page.place)
    return noted


async def list_unusual(ctx: OversightContext, query: ListUnusual) -> UnusualPage:
    """What waits to be looked at, newest first."""
    ctx.actor.require(REVIEW)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.unusual(tx, cipher, query)
        await audit.record(tx, audit.entry(ctx, "oversight.unusual.list", "R"))
    return UnusualPage(items=found)


async def close_unusual(ctx: OversightContext, command: CloseUnusual) -> Unusual:
    """Write down what was found. Raises `UnknownUnusual`, and `UnusualNotYours` for what is about the actor."""
    ctx.actor.require(REVIEW)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        before = await store.unusual_for_change(tx, cipher, command.unusual_id)
        if before is None:
            raise UnknownUnusual
        if before.agent == ctx.actor.subject:
            raise UnusualNotYours
        now, about = ctx.clock.now(), (_about(before.id),)
        await store.close_unusual(tx, cipher, command, ctx.actor.subject, now)
        await audit.record(tx, audit.entry(ctx, "oversight.unusual.close", "U", patient_id=before.patient_id, entities=about))
    return msgspec.structs.replace(before, closed_at=now, closed_by=ctx.actor.subject, outcome=command.outcome, finding=command.finding)


reseal_unusual = in_transaction(store.reseal_unusual)
"""Seal findings anew that an older key sealed: one batch of a rotation."""


async def _bulk(ctx: OversightContext) -> list[Noticed]:
    """Whoever opened the records of very many patients within the last hour."""
    since = ctx.clock.now() - HOUR
    query = FindBusy(what="patients", since=since, at_least=ctx.settings.unusual_patients_per_hour)
    return [
        Noticed(each.organization_id, "bulk_reading", each.agent, each.role, None, since, ctx.clock.now(), each.count)
        for each in await ctx.audit.find_busy(ctx.system, query)
        if each.role in STAFF
    ]


async def _looked_at(ctx: OversightContext, events: tuple[AuditEvent, ...]) -> list[Noticed]:
    accounts: Accounts = {}
    noticed = []
    for event in events:
        if event.role in STAFF and event.patient_id is not None:
            noticed += await _unusual(ctx, event, event.patient_id, accounts)
    return noticed


async def _unusual(ctx: OversightContext, event: AuditEvent, patient_id: UUID, accounts: Accounts) -> list[Noticed]:
    """What is unusual about one record that was opened."""
    system, whose = ctx.within(event.organization_id), (event.organization_id, event.agent)
    if whose not in accounts:
        accounts[whose] = await ctx.access.account_of(system, event.agent)
    account = accounts[whose]
    relation = await ctx.patients.compare_names(system, patient_id, account.display) if account else "other"
    near = timedelta(days=ctx.settings.unusual_days_near)
    expected = await ctx.scheduling.is_expected(system, IsExpected(
        patient_id=patient_id, from_at=event.recorded_at - near, until_at=event.recorded_at + near,
        site_ids=account.site_ids if account else (),
    ))  # fmt: skip
    new = model.is_new(patient_id, event.recorded_at)
    return [
        Noticed(event.organization_id, kind, event.agent, event.role, patient_id, event.recorded_at, event.recorded_at, 1)
        for kind in model.kinds(event.role, event.purpose, relation, expected=expected, new=new)
    ]


async def _note(ctx: OversightContext, noticed: list[Noticed], place: int | None) -> int:
    """Store what was noticed and how far the log was looked through, together: a step that breaks is taken again from where it began."""
    fresh = 0
    async with ctx.db.transaction() as tx:
        for each in noticed:
            made = await store.note_unusual(tx, ctx.ids.new(), each)
            if made is not None:
                fresh += 1
                deed = audit.entry_of_system(
                    ctx, each.organization_id, "oversight.unusual.note", "C", patient_id=each.patient_id, entities=(_about(made),)
                )  # fmt: skip
                await audit.record(tx, deed)
        if place is not None:
            await store.move_place(tx, place)
    return fresh


def _about(unusual_id: UUID) -> audit.Entity:
    return audit.Entity(type="Unusual", id=unusual_id)
