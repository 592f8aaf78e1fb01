"""Visits that are to be asked about: a job for each, so that nobody waits for a payer."""

from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.coverage import Coverage
from carewright.coverage import store
from carewright.kernel import jobs
from carewright.kernel.context import Context
from carewright.kernel.db import Session

CHECK_VISIT = "coverage.check_visit"
"""The job that asks about one visit."""
ASK_AHEAD = "coverage.ask_ahead"
"""The job that asks about a time which somebody keeps and has not booked yet."""
AHEAD_MAX = 20
"""Visits of one patient that are asked about when a coverage changes, the next ones first."""


class Booked(msgspec.Struct, frozen=True):
    """The payload of `CHECK_VISIT`."""

    organization_id: UUID
    appointment_id: UUID


class Held(msgspec.Struct, frozen=True):
    """The payload of `ASK_AHEAD`."""

    organization_id: UUID
    patient_id: UUID
    site_id: UUID
    visit_type_id: UUID
    starts_at: datetime


async def ask_later(ctx: Context, tx: Session, what: Booked, why: str) -> None:
    """Ask about a visit soon, once for each `why`."""
    await jobs.enqueue(ctx, tx, CHECK_VISIT, what, unique_key=f"{CHECK_VISIT}:{what.appointment_id}:{why}")


async def ask_ahead(ctx: Context, tx: Session, what: Held, hold_id: UUID) -> None:
    """Ask about a kept time soon, so that an answer is there when it is booked."""
    await jobs.enqueue(ctx, tx, ASK_AHEAD, what, unique_key=f"{ASK_AHEAD}:{hold_id}")


async def ask_about_visits_ahead(ctx: Context, tx: Session, coverage: Coverage) -> None:
    """A coverage that is new, or says something else, may change who pays for what is booked already."""
    organization_id = ctx.actor.organization_id
    for visit_id in await store.visits_ahead(tx, organization_id, coverage.patient_id, ctx.clock.now(), AHEAD_MAX):
        await ask_later(ctx, tx, Booked(organization_id, visit_id), f"{coverage.id}:{coverage.version}")
