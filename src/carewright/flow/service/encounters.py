"""Flow's use cases. One function, one transaction, one permission."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from carewright.contracts.encounters import (
    ChangeEncounter,
    Encounter,
    EncountersPage,
    PutEncounters,
    PutEncountersResult,
    RecordEncounter,
    SearchEncounters,
)
from carewright.contracts.flow import EncounterChanged, EncounterRecorded, UnknownEncounter
from carewright.contracts.queue import QueueEntry
from carewright.flow.model import encounters
from carewright.flow.service import bed_requests, places
from carewright.flow.store import encounters as store
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Forbidden, PreconditionFailed
from carewright.kernel.idempotency import once_committed
from carewright.kernel.keeping import note_disposed
from carewright.kernel.outbox import publish
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.reach import id_after, within_reach
from carewright.kernel.resealing import in_transaction

READ = "flow.encounter.read"
RECORD = "flow.encounter.record"
ANY_PATIENT = "flow.encounter.any_patient"


async def get_encounter(ctx: Context, encounter_id: UUID) -> Encounter:
    """One encounter. Raises `UnknownEncounter`, as for another patient's or another site's."""
    ctx.actor.require(READ)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.encounter_by_id(tx, cipher, encounter_id)
        if found is None or not may_see(ctx, found):
            raise UnknownEncounter(encounter_id=str(encounter_id))
        await audit.record(tx, _entry(ctx, "flow.encounter.read", "R", found))
    return found


async def search_encounters(ctx: Context, query: SearchEncounters) -> EncountersPage:
    """Encounters in order of their ids: at the actor's sites, or of the one patient they act for.

    The journal has an entry for each patient of whom the page shows something, or one without a patient where it shows nothing.
    """
    ctx.actor.require(READ)
    asked = within_reach(ctx, query, ANY_PATIENT, ("from_at", "until_at"))
    cipher, after = await ctx.cipher(), id_after(query.after)
    found: list[Encounter] = []
    async with ctx.db.transaction() as tx:
        if asked is not None:
            found = await store.search_encounters(tx, cipher, asked, ctx.actor.site_ids, after, query.limit + 1)
        items = tuple(found[: query.limit])
        about = [(each.patient_id, audit.Entity(type="Encounter", id=each.id)) for each in items]
        await audit.record(tx, *audit.entries_about(ctx, "flow.encounter.search", about))
    return EncountersPage(items=items, next=str(items[-1].id) if len(found) > len(items) else None)


async def record_encounter(ctx: Context, command: RecordEncounter) -> Encounter:
    """Store a new encounter under a new id. Raises `InvalidEncounter`."""
    ctx.actor.require(RECORD)
    cipher = await ctx.cipher()

    async def work(tx: Session) -> Encounter:
        encounter = encounters.new_encounter(command, ctx.ids.new())
        encounters.ensure_sound([encounter])
        _ensure_within(ctx, encounter)
        (made,) = await write(ctx, tx, cipher, [encounter])
        await audit.record(tx, _entry(ctx, "flow.encounter.record", "C", made))
        return made

    return await once_committed(ctx, Encounter, work)


async def change_encounter(ctx: Context, command: ChangeEncounter) -> Encounter:
    """Bring an encounter to what the command says; what it does not say stays, and the same again changes nothing.

    Raises `UnknownEncounter`, `PreconditionFailed`, `StatusNotAllowed`, `InvalidEncounter`.
    """
    ctx.actor.require(RECORD)
    cipher = await ctx.cipher()

    async def work(tx: Session) -> Encounter:
        before = (await store.encounters_for_change(tx, cipher, [command.encounter_id])).get(command.encounter_id)
        if before is None or not may_see(ctx, before):
            raise UnknownEncounter(encounter_id=str(command.encounter_id))
        if command.expected_version not in (None, before.version):
            raise PreconditionFailed(version=before.version)
        after = encounters.changed_encounter(before, command)
        encounters.ensure_follows(before, after)
        encounters.ensure_sound([after])
        _ensure_within(ctx, after)
        written = await write(ctx, tx, cipher, [after])
        stored = written[0] if written else before
        await audit.record(tx, _entry(ctx, "flow.encounter.change", "U", stored))
        return stored

    return await once_committed(ctx, Encounter, work)


async def put_encounters(ctx: Context, command: PutEncounters) -> PutEncountersResult:
    """Store every encounter, matched by id, or none: the refusal names the first that breaks a rule. The same again changes nothing."""
    ctx.actor.require(RECORD)
    ctx.actor.require(ANY_PATIENT)
    encounters.ensure_sound(command.encounters)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        known = await store.encounters_for_change(tx, cipher, [each.id for each in command.encounters])
        for each in command.encounters:
            _ensure_within(ctx, each)
            if each.id in known:
                encounters.ensure_follows(known[each.id], each)
        written = await write(ctx, tx, cipher, command.encounters)
        await audit.record(tx, *(_entry(ctx, "flow.encounter.put", "C" if each.version == 1 else "U", each) for each in written))
    ctx.wake()
    created = sum(each.version == 1 for each in written)
    return PutEncountersResult(created=created, changed=len(written) - created, unchanged=len(command.encounters) - len(written))


async def dispose_encounters(ctx: Context, before: datetime, limit: int) -> int:
    """End the encounters of one organization that are past their time; one batch."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose(tx, ctx.actor.organization_id, before, limit)
        return await note_disposed(ctx, tx, "flow.encounter.dispose", gone)


reseal_encounters = in_transaction(store.reseal)
"""Seal encounters anew that an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""


def may_see(ctx: Context, encounter: Encounter | QueueEntry) -> bool:
    """Whether the actor may read a visit, and what belongs to it."""
    actor = ctx.actor
    is_theirs = actor.may(ANY_PATIENT) or encounter.patient_id == actor.patient_id
    return is_theirs and actor.works_at(encounter.site_id)


def _ensure_within(ctx: Context, encounter: Encounter) -> None:
    if not may_see(ctx, encounter):
        raise Forbidden("You record encounters at your own sites only.")


def _entry(ctx: Context, event: str, action: audit.Action, encounter: Encounter) -> audit.Entry:
    about = (audit.Entity(type="Encounter", id=encounter.id),)
    return audit.entry(ctx, event, action, patient_id=encounter.patient_id, entities=about)


async def write(ctx: Context, tx: Session, cipher: FieldCipher, wanted: Sequence[Encounter]) -> list[Encounter]:
    """Store encounters and tell of those that say something new; who is gone leaves the room or bed, and waits for none.

    The caller has decided that they may say it.
    """
    written = await store.put_encounters(tx, cipher, wanted, ctx.clock.now())
    if written:
        granted = Counter(await store.put_links(tx, cipher, written))
        for each in written:
            if granted[each.id] < len(set(each.identifiers)):
                raise encounters.taken_identifier(each)
        await publish(ctx, tx, *(_fact(ctx, each) for each in written))
        await places.release(ctx, tx, written)
        await bed_requests.end(ctx, tx, cipher, [each.id for each in written if each.status in places.OVER], "visit-over")
    return written


def _fact(ctx: Context, encounter: Encounter) -> EncounterRecorded | EncounterChanged:
    kind = EncounterRecorded if encounter.version == 1 else EncounterChanged
    return kind(
        organization_id=ctx.actor.organization_id, encounter_id=encounter.id, patient_id=encounter.patient_id, status=encounter.status,
        version=encounter.version, appointment_id=encounter.appointment_id,
    )  # fmt: skip
