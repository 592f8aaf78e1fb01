"""Scheduling is told what a payer's no stops, each time that changes: it keeps a copy, so that a booking asks nobody."""

from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.coverage import StoppedVisits, VisitsStopped
from carewright.coverage import store
from carewright.coverage.context import CoverageContext
from carewright.coverage.model.authorising import DENIAL_COUNTS
from carewright.coverage.model.stopping import stops_of
from carewright.kernel import jobs, outbox
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.privacy.cipher import FieldCipher

TELL_STOPS = "coverage.tell_stops"
"""The job that looks again: at everybody of an organization after a rule of the hospital changed, at one who was given another's record."""
SITES_MAX, ANSWERS_MAX, BATCH = 200, 200, 100


class Changed(msgspec.Struct, frozen=True):
    """The payload of `TELL_STOPS`: everybody, where no patient is named."""

    organization_id: UUID
    patient_id: UUID | None = None


async def tell_stops(ctx: Context, tx: Session, cipher: FieldCipher, patient_id: UUID) -> None:
    """Publish which visits of a patient are not to be booked now, where any are, or were. The caller holds the patient's row."""
    now = ctx.clock.now()
    policies = await store.policies_that_stop(tx, cipher.organization_id, SITES_MAX)
    answered_since, denied_since = since(now)
    found: tuple[StoppedVisits, ...] = ()
    if policies:
        found = stops_of(
            policies, await store.service_types(tx, cipher.organization_id), await store.coverages_of_patient(tx, cipher, patient_id),
            await store.eligibilities_asked_since(tx, cipher, patient_id, answered_since, ANSWERS_MAX),
            await store.authorisations_asked_since(tx, cipher, patient_id, denied_since, ANSWERS_MAX), now,
        )  # fmt: skip
    if await store.note_stops(tx, cipher.organization_id, patient_id, has_stops=bool(found)):
        await outbox.publish(ctx, tx, VisitsStopped(organization_id=cipher.organization_id, patient_id=patient_id, stops=found))


async def tell_later(ctx: Context, tx: Session, patient_id: UUID | None = None) -> None:
    """Look at everybody, or at one patient, again soon: what is stopped follows what holds now."""
    await jobs.enqueue(ctx, tx, TELL_STOPS, Changed(ctx.actor.organization_id, patient_id))


async def tell_all(ctx: CoverageContext) -> None:
    """Tell scheduling anew about everybody of whom payers said something that counts; a transaction for each."""
    after = store.FIRST_ID
    while patients := await store.patients_spoken_of(ctx.db, ctx.actor.organization_id, since(ctx.clock.now()), after, BATCH):
        for patient_id in patients:
            await tell_one(ctx, patient_id)
        after = patients[-1]


async def tell_one(ctx: CoverageContext, patient_id: UUID) -> None:
    """Tell scheduling anew about one patient, unless they were erased or merged meanwhile."""
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        if await store.lock_patient(tx, cipher.organization_id, patient_id):
            await tell_stops(ctx, tx, cipher, patient_id)


def since(now: datetime) -> tuple[datetime, datetime]:
    """From when on answers about coverage, and words about authorisation, count: the day (UTC), and as long as a denial stands."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0), now - DENIAL_COUNTS
