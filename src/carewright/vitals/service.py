"""The use cases of vitals. One function, one transaction, one permission."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from carewright.contracts.vitals import (
    Observation,
    ObservationChanged,
    ObservationRecorded,
    ObservationsPage,
    PatientNotKept,
    PutObservations,
    PutObservationsResult,
    SearchObservations,
    UnknownObservation,
)
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.keeping import note_disposed
from carewright.kernel.outbox import publish
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.reach import id_after, within_reach
from carewright.kernel.resealing import in_transaction
from carewright.vitals import model, store

READ = "vitals.observation.read"
RECORD = "vitals.observation.record"
ANY_PATIENT = "vitals.observation.any_patient"


async def get_observation(ctx: Context, observation_id: UUID) -> Observation:
    """One observation. Raises `UnknownObservation`, as for another patient's."""
    ctx.actor.require(READ)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.observation_by_id(tx, cipher, observation_id)
        if found is None or not (ctx.actor.may(ANY_PATIENT) or found.patient_id == ctx.actor.patient_id):
            raise UnknownObservation(observation_id=str(observation_id))
        await audit.record(tx, _entry(ctx, "vitals.observation.read", "R", found))
    return found


async def search_observations(ctx: Context, query: SearchObservations) -> ObservationsPage:
    """Observations in order of their ids, of the one patient that the actor acts for, if they act for one.

    The journal has an entry for each patient of whom the page shows something, or one without a patient where it shows nothing.
    """
    ctx.actor.require(READ)
    asked = within_reach(ctx, query, ANY_PATIENT, ("from_at", "until_at"))
    cipher, after = await ctx.cipher(), id_after(query.after)
    found: list[Observation] = []
    async with ctx.db.transaction() as tx:
        if asked is not None:
            found = await store.search_observations(tx, cipher, asked, after, query.limit + 1)
        items = tuple(found[: query.limit])
        about = [(each.patient_id, audit.Entity(type="Observation", id=each.id)) for each in items]
        await audit.record(tx, *audit.entries_about(ctx, "vitals.observation.search", about))
    return ObservationsPage(items=items, next=str(items[-1].id) if len(found) > len(items) else None)


async def put_observations(ctx: Context, command: PutObservations) -> PutObservationsResult:
    """Store every observation, matched by id, or none: the refusal names the first that breaks a rule. The same again changes nothing.

    Raises `InvalidObservation`, and `PatientNotKept` for somebody who was erased.
    """
    ctx.actor.require(RECORD)
    model.ensure_sound(command.observations)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        whose = sorted({each.patient_id for each in command.observations})
        for patient_id in await store.lock_patients(tx, cipher.organization_id, whose):
            raise PatientNotKept(patient_id=str(patient_id))
        known = await store.observations_for_change(tx, cipher, [each.id for each in command.observations])
        for each in command.observations:
            if each.id in known:
                model.ensure_stays(known[each.id], each)
        written = await _put(ctx, tx, cipher, command.observations)
        await audit.record(tx, *(_entry(ctx, "vitals.observation.put", "C" if each.version == 1 else "U", each) for each in written))
    ctx.wake()
    created = sum(each.version == 1 for each in written)
    return PutObservationsResult(created=created, changed=len(written) - created, unchanged=len(command.observations) - len(written))


async def dispose_observations(ctx: Context, before: datetime, limit: int) -> int:
    """End the observations of one organization that are past their time; one batch."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose(tx, ctx.actor.organization_id, before, limit)
        return await note_disposed(ctx, tx, "vitals.observation.dispose", gone)


reseal_observations = in_transaction(store.reseal)
"""Seal observations anew that an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""


def _entry(ctx: Context, event: str, action: audit.Action, observation: Observation) -> audit.Entry:
    about = (audit.Entity(type="Observation", id=observation.id),)
    return audit.entry(ctx, event, action, patient_id=observation.patient_id, entities=about)


async def _put(ctx: Context, tx: Session, cipher: FieldCipher, observations: Sequence[Observation]) -> list[Observation]:
    written = await store.put_observations(tx, cipher, observations, ctx.clock.now())
    if written:
        granted = Counter(await store.put_identifiers(tx, cipher, written))
        for each in written:
            if granted[each.id] < len(set(each.identifiers)):
                raise model.taken_identifier(each)
        await publish(ctx, tx, *(_fact(ctx, each) for each in written))
    return written


def _fact(ctx: Context, observation: Observation) -> ObservationRecorded | ObservationChanged:
    kind = ObservationRecorded if observation.version == 1 else ObservationChanged
    return kind(
        organization_id=ctx.actor.organization_id, observation_id=observation.id, patient_id=observation.patient_id,
        status=observation.status, version=observation.version,
    )  # fmt: skip
