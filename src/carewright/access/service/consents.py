"""Consent to a proxy: given by the patient or recorded at the desk, accepted, acted by, and withdrawn at once."""

from datetime import datetime
from uuid import UUID

import msgspec

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import consents as model
from carewright.access.model.sessions import Bounds, Owner
from carewright.access.model.spoken import CODE_BYTES, code_hash, code_of
from carewright.access.service.sessions import OWN, start
from carewright.contracts.access import (
    AcceptConsent,
    ActFor,
    ConsentNotRight,
    ConsentsPage,
    GiveConsent,
    GivenConsent,
    RecordConsent,
    SessionNeeded,
    StartedSession,
    UnknownConsent,
)
from carewright.contracts.consents import Consent, FindProxies, ProxiesPage
from carewright.kernel import audit
from carewright.kernel.db import Row
from carewright.kernel.db import Session as Tx
from carewright.kernel.errors import BadInput, Forbidden
from carewright.kernel.rng import new_secret
from carewright.kernel.values import utc

GIVE = "access.consent.give"
RECORD = "access.consent.record"
READ = "access.consent.read"
ANY_PATIENT = "access.consent.any_patient"
FIRST_ID = UUID(int=0)
CODE = "consent"


async def give_consent(ctx: AccessContext, command: GiveConsent) -> GivenConsent:
    """Let somebody act for the actor, once they type the code; it is shown this once, and good for a week."""
    ctx.actor.require(GIVE)
    if ctx.actor.patient_id is None:
        raise Forbidden
    code = code_of(new_secret(CODE_BYTES))
    made = _made(ctx, command, ctx.actor.patient_id)
    async with ctx.db.transaction() as tx:
        await store.insert_consent(tx, ctx.actor.organization_id, made, code_hash(CODE, code), made.given_at + model.CODE_LIFETIME)
        await _record(ctx, tx, "access.consent.give", "C", made)
    return GivenConsent(consent=made, code=code)


async def record_consent(ctx: AccessContext, command: RecordConsent) -> Consent:
    """Write down at the desk that one patient acts for another, and by which proof. It holds without a code."""
    ctx.actor.require(RECORD)
    if command.patient_id == command.proxy_patient_id:
        raise BadInput("Nobody is their own proxy.", parameter="proxy_patient_id")
    made = _made(ctx, command, command.patient_id)
    async with ctx.db.transaction() as tx:
        await store.insert_consent(tx, ctx.actor.organization_id, made, None, None)
        await _record(ctx, tx, "access.consent.record", "C", made)
    return made


async def accept_consent(ctx: AccessContext, command: AcceptConsent) -> Consent:
    """Become somebody's proxy by the code they gave. Raises `ConsentNotRight` for one that is wrong, used, too old, or one's own."""
    ctx.actor.require(GIVE)
    patient_id, now = ctx.actor.patient_id, ctx.clock.now()
    async with ctx.db.transaction() as tx:
        taken = await store.accept_consent(tx, ctx.actor.organization_id, code_hash(CODE, command.code), patient_id, now)
        if patient_id is None or taken is None:
            raise ConsentNotRight
        await _record(ctx, tx, "access.consent.accept", "U", taken)
    return taken


async def list_consents(ctx: AccessContext) -> ConsentsPage:
    """Whom the actor lets act for them, and for whom they may act. Those acting for somebody see their own, as everybody."""
    ctx.actor.require(OWN)
    async with ctx.db.transaction() as tx:
        row = await store.account_by_subject(tx, ctx.actor.organization_id, ctx.actor.subject)
        own = row["patient_id"] if row else None
        found = await store.consents(tx, ctx.actor.organization_id, own, ctx.clock.now()) if own else ()
        await audit.record(tx, audit.entry(ctx, "access.consent.list", "R", patient_id=own))
    given = tuple(each for each in found if each.patient_id == own)
    return ConsentsPage(given=given, received=tuple(each for each in found if each.proxy_patient_id == own))


async def find_proxies(ctx: AccessContext, query: FindProxies) -> ProxiesPage:
    """Who acts for patients, or did: for staff, and for patients of themselves. No proxy is told of another. Raises `Forbidden`."""
    ctx.actor.require(READ)
    asked, after = _within_reach(ctx, query), query.after or FIRST_ID
    found: tuple[Consent, ...] = ()
    async with ctx.db.transaction() as tx:
        if asked is not None:
            found = await store.find_proxies(tx, ctx.actor.organization_id, asked, after, query.limit + 1)
        items = found[: query.limit]
        about = [(each.patient_id, audit.Entity(type="Consent", id=each.id)) for each in items]
        await audit.record(tx, *audit.entries_about(ctx, "access.consent.find", about))
    return ProxiesPage(items=items, next=items[-1].id if len(found) > len(items) else None)


def _within_reach(ctx: AccessContext, query: FindProxies) -> FindProxies | None:
    """The search within what the actor may see; None where nothing is left to look for."""
    if ctx.actor.may(ANY_PATIENT):
        return query
    own = ctx.actor.patient_id
    if own is None:
        raise Forbidden
    if query.patient_ids and own not in query.patient_ids:
        return None
    return msgspec.structs.replace(query, patient_ids=(own,))


async def withdraw_consent(ctx: AccessContext, consent_id: UUID) -> Consent:
    """End a consent at once: by whoever gave it, by the proxy, or at the desk. Sessions that act by it end with it.

    Raises `UnknownConsent` for one that is not there, not theirs, or withdrawn already.
    """
    organization_id, now, own = ctx.actor.organization_id, ctx.clock.now(), None
    if not ctx.actor.may(RECORD):
        ctx.actor.require(GIVE)
        own = ctx.actor.patient_id
        if own is None:
            raise UnknownConsent
    async with ctx.db.transaction() as tx:
        ended = await store.withdraw_consent(tx, organization_id, consent_id, own, ctx.actor.subject, now)
        if ended is None:
            raise UnknownConsent
        await store.end_sessions_of_consent(tx, organization_id, consent_id, now)
        await _record(ctx, tx, "access.consent.withdraw", "U", ended)
    ctx.wake()
    return ended


async def act_for(ctx: AccessContext, command: ActFor) -> StartedSession:
    """Go on for somebody else by their consent, or for oneself again: another session takes the place of this one, and lasts no longer.

    Raises `UnknownConsent` for a consent that is not there, not given to the actor, or does not hold now; `SessionNeeded`.
    """
    ctx.actor.require(OWN)
    organization_id, session_id = ctx.actor.organization_id, ctx.actor.session_id
    if session_id is None:
        raise SessionNeeded
    async with ctx.db.transaction() as tx:
        row = await store.account_by_subject(tx, organization_id, ctx.actor.subject)
        if row is None or row["patient_id"] is None or row["disabled_at"] is not None:
            raise UnknownConsent
        consent = await held_consent(ctx, tx, command.consent_id, row["patient_id"]) if command.consent_id else None
        before = await store.end_session(tx, organization_id, session_id, ctx.actor.subject, ctx.clock.now(), "replaced")
        if before is None:
            raise SessionNeeded
        bounds = Bounds(absolute_until=before.absolute_until)
        if consent:
            until = min(before.absolute_until, consent.ends_at)
            bounds = Bounds(scopes=model.scopes_of(consent.scope), consent_id=consent.id, absolute_until=until)
        started = await start(ctx, tx, _owner(row, consent), before.method, before.authenticated_at, bounds)
        await store.carry_passkey(tx, organization_id, session_id, started.session.id)
    return started


async def held_consent(ctx: AccessContext, tx: Tx, consent_id: UUID, own: UUID | None) -> Consent:
    """The consent, if it lets whoever's own record is `own` act now. Raises `UnknownConsent`."""
    found = await store.consent_by_id(tx, ctx.actor.organization_id, consent_id)
    if own is None or found is None or found.proxy_patient_id != own or not model.is_live(found, ctx.clock.now()):
        raise UnknownConsent
    return found


def _owner(row: Row, consent: Consent | None) -> Owner:
    """The person, in the role in which they act."""
    return Owner(
        account_id=row["id"], subject=row["subject"], role="proxy" if consent else row["role"], display=row["display"],
        patient_id=consent.patient_id if consent else row["patient_id"],
    )  # fmt: skip


def _made(ctx: AccessContext, command: GiveConsent | RecordConsent, patient_id: UUID) -> Consent:
    """The consent as it begins: at the desk with its proxy, elsewhere without one yet."""
    now = ctx.clock.now()
    starts_at, ends_at = _period(command, now)
    made = Consent(
        id=ctx.ids.new(), patient_id=patient_id, relationship=command.relationship, scope=command.scope, proof="portal",
        starts_at=starts_at, ends_at=ends_at, given_at=now, given_by=ctx.actor.subject,
    )  # fmt: skip
    if isinstance(command, GiveConsent):
        return made
    return msgspec.structs.replace(made, proxy_patient_id=command.proxy_patient_id, proof=command.proof, accepted_at=now)


def _period(command: GiveConsent | RecordConsent, now: datetime) -> tuple[datetime, datetime]:
    starts_at, ends_at = utc(command.from_at) if command.from_at else now, utc(command.until_at)
    if not max(starts_at, now) < ends_at <= starts_at + model.LONGEST:
        raise BadInput("A consent ends after it begins, in the future, and after five years at the latest.", parameter="until_at")
    return starts_at, ends_at


async def _record(ctx: AccessContext, tx: Tx, event: str, action: audit.Action, consent: Consent) -> None:
    about = audit.Entity(type="Consent", id=consent.id)
    await audit.record(tx, audit.entry(ctx, event, action, patient_id=consent.patient_id, entities=(about,)))
