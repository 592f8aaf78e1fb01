"""The patients' use cases. One function, one transaction, one permission."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain, islice
from uuid import UUID

import msgspec

from carewright.contracts.access import ensure_recent
from carewright.contracts.directory import Identifier
from carewright.contracts.patients import (
    AlikePatient,
    AlikePatients,
    ContactPoint,
    Erased,
    ErasePatient,
    FindAlike,
    FindPatients,
    ListPatients,
    Merge,
    MergedPatients,
    MergePatients,
    NameRelation,
    Patient,
    PatientChanged,
    PatientErased,
    PatientMatch,
    PatientMerged,
    PatientOnHold,
    PatientsPage,
    PutPatients,
    PutPatientsResult,
    RecordMerged,
    RegisterPatient,
    SearchPatients,
    Traits,
    UnknownMerge,
    UnknownPatient,
    Unlike,
    UpdatePatient,
)
from carewright.kernel import keeping
from carewright.kernel.audit import Action, Entity, Entry, entries_for_patients, entry, record
from carewright.kernel.context import Context
from carewright.kernel.db import Session, Transaction
from carewright.kernel.errors import BadInput, Forbidden, PreconditionFailed, Refusal
from carewright.kernel.idempotency import once, remember
from carewright.kernel.invariants import invariant
from carewright.kernel.jobs import enqueue
from carewright.kernel.outbox import publish
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.resealing import in_transaction
from carewright.patients import model
from carewright.patients.store import groups as group_rows
from carewright.patients.store import records as store

READ = "patients.read"
FIND = "patients.find"
COMPARE_NAMES = "patients.compare_names"
FIND_BY_CONTACT = "patients.find_by_contact"
REGISTER = "patients.register"
CHANGE = "patients.change"
MERGE = "patients.merge"
EXPORT = "fhir.export"
NO_ID = UUID(int=0)
READ_CONTACTS = "patients.read_contacts"
READ_IDENTIFIERS = "patients.read_identifiers"
ERASE = "patients.erase"
STEP_UP_MINUTES = 5
"""How fresh a sign-in must be for erasing somebody."""
FORGET_ANSWERS = "patients.forget_answers"
"""The job that deletes kept answers in which somebody occurs who was erased."""


class Forgotten(msgspec.Struct, frozen=True):
    """The payload of `FORGET_ANSWERS`."""

    organization_id: UUID
    patient_id: UUID


async def get_patient(ctx: Context, patient_id: UUID) -> Patient:
    """One record. Who may not search for patients may read their own alone. Raises `UnknownPatient`."""
    ctx.actor.require(READ)
    if not ctx.actor.may(FIND) and ctx.actor.patient_id != patient_id:
        raise Forbidden("You may read your own record only.")
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.patient_by_id(tx, cipher, patient_id)
        if found is None:
            raise UnknownPatient(patient_id=str(patient_id))
        (linked,) = await store.with_links(tx, cipher.organization_id, [found])
        await record(tx, entry(ctx, "patients.patient.read", "R", patient_id=patient_id))
    return _shown(ctx, linked)


async def get_patients(ctx: Context, ids: Sequence[UUID]) -> tuple[Patient, ...]:
    """Those records that are known, by id; each is recorded as read. Who may not search for patients may name their own alone."""
    ctx.actor.require(READ)
    if not ctx.actor.may(FIND) and any(each != ctx.actor.patient_id for each in ids):
        raise Forbidden("You may read your own record only.")
    model.ensure_within_limit(len(ids), model.PATIENTS_READ_MAX)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.with_links(tx, cipher.organization_id, await store.patients_by_id(tx, cipher, ids))
        await record(tx, *(entry(ctx, "patients.patient.read", "R", patient_id=each.id) for each in found))
    return tuple(_shown(ctx, each) for each in found)


async def list_patients(ctx: Context, query: ListPatients) -> PatientsPage:
    """Every record, by id; each that is shown is recorded. For other systems that take along all there is."""
    ctx.actor.require(EXPORT)
    ctx.actor.require(FIND)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.patients_after(tx, cipher, query.after or NO_ID, query.limit + 1)
        shown = await store.with_links(tx, cipher.organization_id, found[: query.limit])
        await record(tx, *(entry(ctx, "patients.patient.export", "R", patient_id=each.id) for each in shown))
    return PatientsPage(items=tuple(_shown(ctx, each) for each in shown), more=len(found) > len(shown))


async def find_patients(ctx: Context, query: FindPatients) -> PatientsPage:
    """Active patients by the beginning of their names, without case and accents, or by sound; `query.limit` at most, by name.

    The indexes bring up others too: they are opened, and do not fit. Where even that would be too many, the page says so.
    """
    ctx.actor.require(FIND)
    asked, cipher = model.asked(query), await ctx.cipher()
    async with ctx.db.transaction() as tx:
        candidates = await store.candidates(tx, cipher, asked)
        fitting = sorted((each for each in candidates if model.fits(asked, each.person)), key=_by_name)
        found = tuple(store.opened(cipher, each) for each in fitting[: query.limit])
        await record(tx, *entries_for_patients(ctx, "patients.patient.find", "E", (each.id for each in found)))
    return PatientsPage(
        items=tuple(_shown(ctx, each) for each in found), more=len(fitting) > len(found) or len(candidates) >= store.CANDIDATES_MAX
    )


async def search_patients(ctx: Context, query: SearchPatients) -> PatientsPage:
    """Records by identifier, birth date or name, and by whatever else is asked; active ones, unless an identifier leads to others.

    `query.limit` at most, by name. Raises `BadInput` where nothing asked is indexed, and `Forbidden` for a contact from who may see none.
    """
    ctx.actor.require(FIND)
    if query.contact is not None:
        ctx.actor.require(READ_CONTACTS)
    asked, cipher = model.searched(query), await ctx.cipher()
    async with ctx.db.transaction() as tx:
        if query.identifiers:
            candidates = await store.candidates_by_identifier(tx, cipher, query.identifiers)
        else:
            candidates = await store.candidates(tx, cipher, asked)
        named = sorted((each for each in candidates if model.fits(asked, each.person)), key=_by_name)
        fitting = [each for each in (store.opened(cipher, one) for one in named) if model.meets(query, each)]
        found = await store.with_links(tx, cipher.organization_id, fitting[: query.limit])
        await record(tx, *entries_for_patients(ctx, "patients.patient.find", "E", (each.id for each in found)))
    return PatientsPage(
        items=tuple(_shown(ctx, each) for each in found), more=len(fitting) > len(found) or len(candidates) >= store.CANDIDATES_MAX
    )


async def find_alike(ctx: Context, query: FindAlike) -> AlikePatients:
    """Who is known and may be the person whom one is about to register; the likeliest first, `query.limit` at most.

    Raises `InvalidPatient` where registering would, but for an identifier that is taken: by whom is what is told.
    """
    ctx.actor.require(FIND)
    model.ensure_sound([model.new_patient(query, NO_ID)], ctx.clock.now())
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        candidates = await store.candidates_alike(tx, cipher, query)
        alike = sorted(_alike(ctx, cipher, query, candidates), key=model.likelier)
        found = alike[: query.limit]
        await record(tx, *entries_for_patients(ctx, "patients.patient.find", "E", (each.patient.id for each in found)))
    items = tuple(msgspec.structs.replace(each, patient=_shown(ctx, each.patient)) for each in found)
    return AlikePatients(items=items, more=len(alike) > len(found) or len(candidates) >= store.CANDIDATES_MAX)


def _alike(ctx: Context, cipher: FieldCipher, query: FindAlike, candidates: Iterable[store.Candidate]) -> Iterator[AlikePatient]:
    """Those candidates who may be the same person, opened."""
    for each in candidates:
        if query.identifiers or model.likeness(query, each.person):
            patient = store.opened(cipher, each)
            if why := model.all_likeness(query, patient, with_contacts=ctx.actor.may(READ_CONTACTS)):
                yield AlikePatient(patient=patient, why=why)


async def read_traits(ctx: Context, patient_ids: Sequence[UUID]) -> dict[UUID, Traits]:
    """Birth date, gender and language of those who are not erased, for the extract. One entry in the journal for each patient asked for."""
    ctx.actor.require("records.extract")
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        traits = await store.traits_of_patients(tx, cipher, patient_ids)
        await record(tx, *(entry(ctx, "patients.patient.extract", "R", patient_id=each) for each in patient_ids))
    return traits


def _shown(ctx: Context, patient: Patient) -> Patient:
    """The record without what the reader's role does not need."""
    permissions = (("telecom", READ_CONTACTS), ("identifiers", READ_IDENTIFIERS))
    hidden = tuple(field for field, permission in permissions if not ctx.actor.may(permission))
    return msgspec.structs.replace(patient, withheld=hidden, **dict.fromkeys(hidden, ())) if hidden else patient


async def find_patients_by_contact(ctx: Context, contact: ContactPoint, birth_on: date) -> tuple[UUID, ...]:
    """Who is reached by a contact and was born on that day: for signing in, and for the system alone. Several may share a telephone.

    It is the same work whether somebody is found or not: everybody whom the birth date brings up is opened.
    """
    ctx.actor.require(FIND_BY_CONTACT)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.patients_by_contact(tx, cipher, contact, birth_on)
        await record(tx, *entries_for_patients(ctx, "patients.patient.find_by_contact", "E", found))
    return found


async def find_patients_by_identifier(ctx: Context, identifiers: Sequence[Identifier]) -> tuple[PatientMatch, ...]:
    """Our ids of those patients that are known here."""
    ctx.actor.require(FIND)
    model.ensure_within_limit(len(identifiers), model.IDENTIFIERS_ASKED_MAX)
    row = await ctx.db.do_gathered(_find_for_all, ctx, await ctx.cipher(), tuple(identifiers))
    found: tuple[PatientMatch, ...] = row["found"] if row else ()
    return found


async def _find_for_all(
    tx: Session, contexts: Sequence[Context], ciphers: Sequence[FieldCipher], asked: Sequence[tuple[Identifier, ...]]
) -> list[dict[str, object]]:
    """Who asks at once is answered by one statement; each of them has entries of their own, of whom they found."""
    every = tuple(dict.fromkeys(one for each in asked for one in each))
    known = {match.identifier: match for match in await store.patients_by_identifier(tx, ciphers[0], every)}
    found = [tuple(known[one] for one in dict.fromkeys(each) if one in known) for each in asked]
    deeds = zip(contexts, found, strict=True)
    await record(
        tx, *chain.from_iterable(entries_for_patients(ctx, "patients.patient.find", "E", (one.id for one in each)) for ctx, each in deeds)
    )
    return [{"number": number, "found": each} for number, each in enumerate(found, 1)]


async def compare_names(ctx: Context, patient_id: UUID, display: str) -> NameRelation:
    """What the name of a member of staff has to do with a patient's. For the system, which looks for who opened a relative's record.

    The names are compared by their blind indexes first. Only a record that may fit is opened, which is recorded.
    """
    ctx.actor.require(COMPARE_NAMES)
    cipher, families = await ctx.cipher(), [family for family, _ in model.names_in(display)]
    async with ctx.db.transaction() as tx:
        found = await store.patient_if_named(tx, cipher, patient_id, families)
        if found is None:
            return "other"
        await record(tx, entry(ctx, "patients.patient.compare", "R", patient_id=patient_id))
    return model.name_relation(found.person, display)


async def register_patient(ctx: Context, command: RegisterPatient) -> Patient:
    """Store a new patient under a new id. Raises `InvalidPatient`, and `UnknownPatient` for an alike one who is none."""
    ctx.actor.require(REGISTER)
    cipher = await ctx.cipher()

    async def work() -> Patient:
        patient = model.new_patient(command, ctx.ids.new())
        model.ensure_sound([patient], ctx.clock.now())
        async with ctx.db.transaction() as tx:
            await _put(ctx, tx, cipher, [patient])
            await record(tx, await _registration(ctx, tx, cipher, patient.id, command.unlike))
            await remember(ctx, tx, patient)
        ctx.wake()
        return patient

    return await once(ctx, Patient, work)


async def _registration(ctx: Context, tx: Session, cipher: FieldCipher, patient_id: UUID, unlike: Unlike | None) -> Entry:
    """The entry of a registration: whom it tells the patient apart from, and as its code why. Raises `UnknownPatient`."""
    apart = tuple(dict.fromkeys(unlike.patient_ids)) if unlike else ()
    known = {each.id for each in await store.patients_by_id(tx, cipher, apart)} if apart else set()
    for each in apart:
        if each not in known:
            raise UnknownPatient(patient_id=str(each))
    about = tuple(Entity(type="Patient", id=each) for each in apart)
    return entry(
        ctx, "patients.patient.register", "C", patient_id=patient_id, entities=about, code=unlike.because if unlike else None
    )  # fmt: skip


async def update_patient(ctx: Context, command: UpdatePatient) -> Patient:
    """Replace what a record says; what is left out of it and what the actor may not see stays. The same again changes nothing.

    Raises `UnknownPatient`, `RecordMerged`, `PreconditionFailed`, `InvalidPatient`, and `Forbidden` for saying what one may not see.
    """
    ctx.actor.require(CHANGE)
    for said, permission in ((command.telecom, READ_CONTACTS), (command.identifiers, READ_IDENTIFIERS)):
        if said is not None:
            ctx.actor.require(permission)
    cipher = await ctx.cipher()

    async def work() -> Patient:
        async with ctx.db.transaction() as tx:
            before = await store.patient_for_change(tx, cipher, command.patient_id)
            if before is None:
                raise UnknownPatient(patient_id=str(command.patient_id))
            await _ensure_stands(tx, cipher.organization_id, command.patient_id)
            if command.expected_version not in (None, before.version):
                raise PreconditionFailed(version=before.version)
            changed = model.changed_patient(before, command)
            model.ensure_sound([changed], ctx.clock.now())
            written = await _put(ctx, tx, cipher, [changed])
            await record(tx, entry(ctx, "patients.patient.change", "U", patient_id=before.id))
            (linked,) = await store.with_links(tx, cipher.organization_id, written or [before])
            shown = _shown(ctx, linked)
            await remember(ctx, tx, shown)
        ctx.wake()
        return shown

    return await once(ctx, Patient, work)


async def merge_patients(ctx: Context, command: MergePatients) -> MergedPatients:
    """Two records are of one person: the survivor takes over everything, by its event also what others keep; the prior points to it.

    Nothing refuses it that can be put right afterwards: who has two appointments at one time keeps both. The same again changes nothing
    here, and lets others look once more. Raises `UnknownPatient`, `RecordMerged` for a record that was merged into another, and
    `InvalidPatient` for more identifiers than a record takes.
    """
    ctx.actor.require(MERGE)
    if command.survivor_id == command.prior_id:
        raise BadInput("A record is not merged into itself.", parameter="prior_id")
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        known = await store.patients_for_merge(tx, cipher, (command.survivor_id, command.prior_id))
        for patient_id in (command.survivor_id, command.prior_id):
            if patient_id not in known:
                raise UnknownPatient(patient_id=str(patient_id))
        await _ensure_stands(tx, cipher.organization_id, command.survivor_id)
        merged = await _merged_before(tx, cipher, command)
        if merged is None:
            merged = await _merge(ctx, tx, cipher, command, (known[command.survivor_id], known[command.prior_id]))
        event = PatientMerged(organization_id=cipher.organization_id, patient_id=merged.survivor_id, prior_id=merged.prior_id)
        await publish(ctx, tx, event)
        await record(tx, *(entry(ctx, "patients.patient.merge", "U", patient_id=each) for each in (command.survivor_id, command.prior_id)))
    ctx.wake()
    return merged


async def _merge(ctx: Context, tx: Session, cipher: FieldCipher, command: MergePatients, before: tuple[Patient, Patient]) -> MergedPatients:
    after, now = model.merged(*before), ctx.clock.now()
    model.ensure_sound(after, now)
    await _put(ctx, tx, cipher, after)
    await store.insert_merge(tx, cipher, command, before, ctx.actor.subject, now)
    groups = await group_rows.take_over(tx, cipher.organization_id, command.prior_id, command.survivor_id, now)
    await record(tx, *_group_entries(ctx, "patients.group.merge", "U", {command.survivor_id: groups}))
    return MergedPatients(survivor_id=command.survivor_id, prior_id=command.prior_id, merged_by=ctx.actor.subject, merged_at=now)


async def _merged_before(tx: Session, cipher: FieldCipher, command: MergePatients) -> MergedPatients | None:
    """How the prior record came to the survivor, if it did. Raises `RecordMerged` where it went to another one."""
    earlier = await store.merge_of(tx, cipher, command.prior_id)
    if earlier is None:
        return None
    if await store.survivor_of(tx, cipher.organization_id, command.prior_id) != command.survivor_id:
        await _ensure_stands(tx, cipher.organization_id, command.prior_id)
    return MergedPatients(
        survivor_id=command.survivor_id, prior_id=command.prior_id, merged_by=earlier.merged_by, merged_at=earlier.merged_at
    )  # fmt: skip


async def get_merge(ctx: Context, prior_id: UUID) -> Merge:
    """How a record was merged, and both as they were, for whoever may merge. Raises `UnknownMerge`."""
    ctx.actor.require(MERGE)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.merge_of(tx, cipher, prior_id)
        if found is None:
            raise UnknownMerge(patient_id=str(prior_id))
        await record(tx, entry(ctx, "patients.merge.read", "R", patient_id=prior_id))
    return msgspec.structs.replace(found, before=tuple(_shown(ctx, each) for each in found.before))


async def _ensure_stands(tx: Session, organization_id: UUID, patient_id: UUID) -> None:
    """Raise `RecordMerged` for a record that was merged into another."""
    if survivor_id := await store.survivor_of(tx, organization_id, patient_id):
        raise RecordMerged(patient_id=str(patient_id), survivor_id=str(survivor_id))


async def erase_patient(ctx: Context, command: ErasePatient) -> Erased:
    """Erase a patient for good: the record and those merged into it, and by its events everybody's words, messages and the account.

    Appointments keep their time. Raises `StepUpNeeded` unless the actor proved who they are a moment ago, `UnknownPatient`, `RecordMerged`,
    and `PatientOnHold`.
    """
    ctx.actor.require(ERASE)
    now, patient_id = ctx.clock.now(), command.patient_id
    ensure_recent(ctx.actor.authenticated_at, now, STEP_UP_MINUTES)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        records = await store.records_for_erasure(tx, cipher.organization_id, patient_id)
        left = await group_rows.leave_groups(tx, cipher.organization_id, records, now)
        gone = await store.erase_patient(tx, cipher.organization_id, patient_id)
        if not gone:
            await _ensure_stands(tx, cipher.organization_id, patient_id)
            raise await _why_not_erased(tx, cipher.organization_id, patient_id)
        for each in gone:
            await store.insert_erasure(tx, cipher, each.id, command.reason, ctx.actor.subject, now)
            await publish(ctx, tx, _erased(cipher.organization_id, each))
            await enqueue(ctx, tx, FORGET_ANSWERS, Forgotten(cipher.organization_id, each.id))
            await record(tx, entry(ctx, "patients.patient.erase", "D", patient_id=each.id))
        await record(tx, *_group_entries(ctx, "patients.group.erase", "D", left))
    ctx.wake()
    return Erased(patient_id=patient_id, erased_by=ctx.actor.subject, erased_at=now)


def _group_entries(ctx: Context, event: str, action: Action, by_patient: Mapping[UUID, Iterable[UUID]]) -> Iterator[Entry]:
    """What became of the groups that somebody was in."""
    for patient_id, group_ids in by_patient.items():
        if about := tuple(Entity(type="Group", id=each) for each in group_ids):
            yield entry(ctx, event, action, patient_id=patient_id, entities=about)


def _erased(organization_id: UUID, gone: store.Erasing) -> PatientErased:
    hashes = tuple(each.hex() for each in gone.hashes)
    return PatientErased(organization_id=organization_id, patient_id=gone.id, version=gone.version + 1, identifier_hashes=hashes)


async def _why_not_erased(tx: Session, organization_id: UUID, patient_id: UUID) -> Refusal:
    held = await keeping.is_held(tx, organization_id, patient_id)
    return PatientOnHold(patient_id=str(patient_id)) if held else UnknownPatient(patient_id=str(patient_id))


reseal_merges = in_transaction(store.reseal_merges)
"""As `reseal_patients`, of the words of merges."""


reseal_erasures = in_transaction(store.reseal_erasures)
"""As `reseal_patients`, of the reasons of erasures."""


async def put_patients(ctx: Context, command: PutPatients) -> PutPatientsResult:
    """Store every record, matched by id, or none: the refusal names the first that breaks a rule. The same again changes nothing."""
    ctx.actor.require(REGISTER)
    model.ensure_within_limit(len(command.patients), model.PATIENTS_MAX)
    model.ensure_sound(command.patients, ctx.clock.now())
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        written = await _put(ctx, tx, cipher, command.patients)
        await record(tx, *(_put_entry(ctx, patient) for patient in written))
    ctx.wake()
    created = sum(patient.version == 1 for patient in written)
    return PutPatientsResult(created=created, changed=len(written) - created, unchanged=len(command.patients) - len(written))


async def bulk_load(ctx: Context, tx: Transaction, patients: Iterable[Patient]) -> PutPatientsResult:
    """Load the first patients by COPY, with the checks and events of `put_patients`. The caller opened `tx`, and wakes the readers.

    Reads `patients` in batches, so that a generator needs no memory; an id or identifier that comes again batches later breaks the load.
    The load is one deed, and has one entry.
    """
    ctx.actor.require(REGISTER)
    invariant(await store.is_empty(tx, ctx.actor.organization_id), "bulk_load is for a tenant without patients")
    await record(tx, entry(ctx, "patients.patient.load", "C"))
    cipher = await ctx.cipher()
    rest, indexing, created = iter(patients), model.Indexing(cipher), 0
    while batch := list(islice(rest, model.PATIENTS_MAX)):
        model.ensure_sound(batch, ctx.clock.now())
        await store.copy_patients(tx, cipher, indexing, batch)
        await _publish(ctx, tx, batch)
        created += len(batch)
    return PutPatientsResult(created=created, changed=0, unchanged=0)


reseal_patients = in_transaction(store.reseal)
"""Seal records anew that an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""


def _put_entry(ctx: Context, patient: Patient) -> Entry:
    return entry(ctx, "patients.patient.put", "C" if patient.version == 1 else "U", patient_id=patient.id)


def _by_name(candidate: store.Candidate) -> tuple[str, UUID]:
    return model.name_key(candidate.person), candidate.row["id"]


async def _put(ctx: Context, tx: Session, cipher: FieldCipher, patients: Sequence[Patient]) -> list[Patient]:
    written = await store.put_patients(tx, cipher, patients)
    if written:
        await _claim_identifiers(tx, cipher, written)
        await _publish(ctx, tx, written)
    return written


async def _claim_identifiers(tx: Session, cipher: FieldCipher, written: Sequence[Patient]) -> None:
    """Give up all identifiers of the written patients first, so that two of one change may exchange theirs."""
    await store.drop_identifiers(tx, cipher.organization_id, written)
    granted = Counter(await store.claim_identifiers(tx, cipher, written))
    for patient in written:
        if granted[patient.id] < len(set(patient.identifiers)):
            raise model.taken_identifier(patient)


async def _publish(ctx: Context, tx: Session, written: Sequence[Patient]) -> None:
    organization_id = ctx.actor.organization_id
    events = [PatientChanged(organization_id=organization_id, patient_id=p.id, active=p.active, version=p.version) for p in written]
    await publish(ctx, tx, *events)
