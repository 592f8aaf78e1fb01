"""Rows to values: one function runs one named query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.access.model.apps import Brought, Grant, IssuedAppCode, Launch
from carewright.access.model.codes import FAILURES_MAX
from carewright.access.model.passkeys import MadePasskey
from carewright.access.model.sessions import CLIENT_ROLE, Kept, Owner
from carewright.contracts.access import Account
from carewright.contracts.apps import AppGrant, AppLetIn, ListAppGrants
from carewright.contracts.break_glass import BreakGlass, CloseReview, ListReviews
from carewright.contracts.clients import ChangeClientKeys, Client, PublicKey
from carewright.contracts.consents import Consent, FindProxies
from carewright.contracts.passkeys import Passkey
from carewright.kernel.db import Database, Row, Session
from carewright.kernel.keeping import Gone
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.access")
CONSENTS_MAX = 200
APPS_MAX = 100
BREAK_GLASS = "access.break_glass"
"""What sealed reasons and findings are bound to."""
PASSKEY = "access.passkey"
"""What sealed names of passkeys are bound to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A sign-in that is under way at the identity provider."""

    binding_hash: bytes
    nonce: str
    verifier: str
    next: str
    again: bool
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClient:
    """Another system, with whose account it is."""

    organization_id: UUID
    client: Client
    owner: Owner
    disabled: bool


async def session_by_token(db: Database, token_hash: bytes, now: datetime) -> tuple[Kept, bool] | None:
    """The session of a token, and whether its glass is broken now. Run out or not: that is a rule of the model."""
    row = await db.fetch_gathered(Q.sessions_by_token, token_hash, now)
    return (_kept(row), row["glass_broken"]) if row else None


async def sessions_by_id(db: Session, organization_id: UUID, session_ids: Sequence[UUID], now: datetime) -> list[tuple[Kept, bool]]:
    """As `session_by_token`, for many of one organization."""
    rows = await db.fetch(Q.sessions_by_id, organization_id, list(session_ids), now)
    return [(_kept(row), row["glass_broken"]) for row in rows]


async def touch_session(db: Session, kept: Kept, now: datetime) -> None:
    await db.execute(Q.touch_session, kept.organization_id, kept.id, now)


async def insert_session(tx: Session, kept: Kept, token_hash: bytes) -> None:
    await tx.execute(
        Q.insert_session, kept.organization_id, kept.id, kept.owner.account_id, token_hash, kept.method, kept.started_at,
        kept.authenticated_at, kept.idle_seconds, kept.absolute_until,
        None if kept.scopes is None else list(kept.scopes), kept.consent_id, kept.grant_id,
    )  # fmt: skip


async def sessions_of_subject(db: Session, organization_id: UUID, subject: str, now: datetime, limit: int) -> list[Kept]:
    """The live sessions of one subject, oldest first."""
    return [_kept(row) for row in await db.fetch(Q.sessions_of_subject, organization_id, subject, now, limit)]


async def end_session(
    tx: Session, organization_id: UUID, session_id: UUID, subject: str | None, now: datetime, reason: str
) -> Kept | None:  # fmt: skip
    """End one session, of `subject` if that is given. None when there is no such live session."""
    row = await tx.fetch_one(Q.end_session, organization_id, session_id, subject, now, reason)
    return _kept(row) if row else None


async def end_session_by_token(tx: Session, organization_id: UUID, token_hash: bytes, account_id: UUID, now: datetime) -> None:
    await tx.execute(Q.end_session_by_token, organization_id, token_hash, account_id, now)


async def end_sessions_of_account(tx: Session, organization_id: UUID, account_id: UUID, now: datetime, reason: str) -> int:
    row = await tx.fetch_one(Q.end_sessions_of_account, organization_id, account_id, now, reason)
    return row["count"] if row else 0


async def end_sessions_beyond(tx: Session, kept: Kept, now: datetime, kept_max: int) -> list[UUID]:
    """The ids of the live sessions that were ended because there are more than `kept_max` like `kept`: those unused for longest."""
    asked = (kept.organization_id, kept.owner.account_id, now, kept_max, kept.grant_id)
    return [row["id"] for row in await tx.fetch(Q.end_sessions_beyond, *asked)]


async def account_of_patient(tx: Session, organization_id: UUID, account_id: UUID, patient_id: UUID, now: datetime) -> Row:
    """The patient's account, made if there is none, its row locked."""
    row = await tx.fetch_one(Q.account_of_patient, organization_id, account_id, f"patient/{patient_id}", patient_id, now)
    if row is None:
        raise LookupError("an upsert that updates always answers")
    return row


async def account_by_subject(db: Session, organization_id: UUID, subject: str) -> Row | None:
    return await db.fetch_one(Q.account_by_subject, organization_id, subject)


async def account_by_issuer(tx: Session, organization_id: UUID, issuer: str, issuer_subject: str) -> Row | None:
    """The account of somebody whom the identity provider knows by this subject, its row locked."""
    return await tx.fetch_one(Q.account_by_issuer, organization_id, issuer, issuer_subject)


async def insert_staff_account(
    tx: Session, organization_id: UUID, owner: Owner, issuer: str, issuer_subject: str, now: datetime
) -> None:  # fmt: skip
    """Make the account, unless there is one."""
    await tx.execute(
        Q.insert_staff_account, organization_id, owner.account_id, owner.subject, owner.role, owner.display, issuer, issuer_subject,
        list(owner.site_ids), now,
    )  # fmt: skip


async def update_staff_account(tx: Session, organization_id: UUID, owner: Owner) -> None:
    await tx.execute(Q.update_staff_account, organization_id, owner.account_id, owner.role, owner.display, list(owner.site_ids))


async def insert_sign_in(db: Session, organization_id: UUID, state_hash: bytes, begun: Begun, expires_at: datetime) -> None:
    await db.execute(
        Q.insert_sign_in, organization_id, state_hash, begun.binding_hash, begun.nonce, begun.verifier, begun.next, begun.again,
        begun.started_at, expires_at,
    )  # fmt: skip


async def take_sign_in(db: Session, organization_id: UUID, state_hash: bytes, now: datetime) -> Begun | None:
    """What was begun under this state, and is not any more."""
    row = await db.fetch_one(Q.take_sign_in, organization_id, state_hash, now)
    return Begun(**dict(row)) if row else None


async def account_for_change(tx: Session, organization_id: UUID, account_id: UUID) -> Row | None:
    """The account, its row locked."""
    return await tx.fetch_one(Q.account_for_change, organization_id, account_id)


async def set_account_disabled(tx: Session, organization_id: UUID, account_id: UUID, disabled_at: datetime | None) -> None:
    await tx.execute(Q.set_account_disabled, organization_id, account_id, disabled_at)


async def accounts(db: Session, organization_id: UUID, after: UUID, role: str | None, limit: int) -> tuple[Account, ...]:
    return tuple(account_of(row) for row in await db.fetch(Q.accounts, organization_id, after, role, limit))


async def staff_names(db: Session, organization_id: UUID, subjects: Sequence[str]) -> dict[str, str]:
    return {row["subject"]: row["display"] for row in await db.fetch(Q.staff_names, organization_id, subjects)}


async def live_codes(tx: Session, organization_id: UUID, account_id: UUID, now: datetime) -> int:
    row = await tx.fetch_one(Q.live_codes, organization_id, account_id, now)
    return row["count"] if row else 0


async def insert_code(
    tx: Session, organization_id: UUID, code_id: UUID, account_id: UUID, proof: bytes, now: datetime, expires_at: datetime
) -> None:  # fmt: skip
    await tx.execute(Q.insert_code, organization_id, code_id, account_id, proof, now, expires_at)


async def code_for_change(tx: Session, organization_id: UUID, code_id: UUID) -> Row | None:
    """The code with its account, both rows locked."""
    return await tx.fetch_one(Q.code_for_change, organization_id, code_id)


async def use_code(tx: Session, organization_id: UUID, code_id: UUID, now: datetime) -> None:
    await tx.execute(Q.use_code, organization_id, code_id, now)


async def note_wrong_code(tx: Session, organization_id: UUID, code_id: UUID, account_id: UUID) -> None:
    await tx.execute(Q.note_wrong_code, organization_id, code_id, account_id)


async def forgive_wrong_codes(tx: Session, organization_id: UUID, account_id: UUID) -> None:
    await tx.execute(Q.forgive_wrong_codes, organization_id, account_id)


async def insert_passkey_challenge(
    db: Session, organization_id: UUID, binding_hash: bytes, challenge: bytes, account_id: UUID | None, expires_at: datetime
) -> None:  # fmt: skip
    await db.execute(Q.insert_passkey_challenge, organization_id, binding_hash, challenge, account_id, expires_at)


async def take_passkey_challenge(db: Session, organization_id: UUID, binding_hash: bytes, now: datetime) -> Row | None:
    """What this browser was asked to sign and for which account, and is not any more."""
    return await db.fetch_one(Q.take_passkey_challenge, organization_id, binding_hash, now)


async def account_by_subject_for_change(tx: Session, organization_id: UUID, subject: str) -> Row | None:
    """The account, its row locked."""
    return await tx.fetch_one(Q.account_by_subject_for_change, organization_id, subject)


async def credentials_of_account(tx: Session, organization_id: UUID, account_id: UUID) -> list[bytes]:
    return [row["credential_id"] for row in await tx.fetch(Q.credentials_of_account, organization_id, account_id)]


async def insert_passkey(tx: Session, cipher: FieldCipher, account_id: UUID, passkey: Passkey, made: MadePasskey) -> bool:
    """False when the credential is registered already."""
    name = cipher.seal(PASSKEY, "name", passkey.id, passkey.name.encode())
    row = await tx.fetch_one(
        Q.insert_passkey, cipher.organization_id, passkey.id, account_id, made.credential_id, made.public_key, made.sign_count, name,
        passkey.created_at,
    )  # fmt: skip
    return row is not None


async def passkey_for_change(tx: Session, organization_id: UUID, credential_id: bytes) -> Row | None:
    """The passkey with its account, both rows locked."""
    return await tx.fetch_one(Q.passkey_for_change, organization_id, credential_id)


async def use_passkey(
    tx: Session, organization_id: UUID, passkey_id: UUID, sign_count: int, session_id: UUID, now: datetime
) -> None:  # fmt: skip
    """Keep what the device has counted, and that this session began by it."""
    await tx.execute(Q.use_passkey, organization_id, passkey_id, sign_count, session_id, now)


async def passkeys_of_subject(db: Session, cipher: FieldCipher, subject: str) -> tuple[Passkey, ...]:
    """Oldest first."""
    rows = await db.fetch(Q.passkeys_of_subject, cipher.organization_id, subject)
    return tuple(Passkey(**dict(row) | {"name": cipher.open_(PASSKEY, "name", row["id"], row["name"]).decode()}) for row in rows)


async def delete_passkey(tx: Session, organization_id: UUID, passkey_id: UUID, subject: str) -> UUID | None:
    """The account that it was of; None when this subject has no such passkey."""
    row = await tx.fetch_one(Q.delete_passkey, organization_id, passkey_id, subject)
    return row["account_id"] if row else None


async def reseal_passkeys(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal names anew that an older key sealed, at most `limit` with ids behind `after`; their ids in order."""
    return await reseal_rows(tx, cipher, PASSKEY, ("name",), (Q.passkeys_to_reseal, Q.reseal_passkeys), after, limit)


async def delete_passkeys_of_account(tx: Session, organization_id: UUID, account_id: UUID) -> None:
    await tx.execute(Q.delete_passkeys_of_account, organization_id, account_id)


async def end_sessions_of_passkey(tx: Session, organization_id: UUID, passkey_id: UUID, now: datetime) -> list[UUID]:
    return [row["id"] for row in await tx.fetch(Q.end_sessions_of_passkey, organization_id, passkey_id, now)]


async def carry_passkey(tx: Session, organization_id: UUID, from_session: UUID, to_session: UUID) -> None:
    await tx.execute(Q.carry_passkey, organization_id, from_session, to_session)


async def insert_consent(tx: Session, organization_id: UUID, made: Consent, code_hash: bytes | None, code_until: datetime | None) -> None:
    await tx.execute(
        Q.insert_consent, organization_id, made.id, made.patient_id, made.proxy_patient_id, made.relationship, made.scope, made.proof,
        made.starts_at, made.ends_at, made.given_at, made.given_by, made.accepted_at, code_hash, code_until,
    )  # fmt: skip


async def accept_consent(
    tx: Session, organization_id: UUID, code_hash: bytes, proxy_patient_id: UUID | None, now: datetime
) -> Consent | None:  # fmt: skip
    """None for a code that is wrong, used, too old, or one's own."""
    row = await tx.fetch_one(Q.accept_consent, organization_id, code_hash, proxy_patient_id, now)
    return Consent(**row) if row else None


async def consent_by_id(tx: Session, organization_id: UUID, consent_id: UUID) -> Consent | None:
    row = await tx.fetch_one(Q.consent_by_id, organization_id, consent_id)
    return Consent(**row) if row else None


async def consents(tx: Session, organization_id: UUID, patient_id: UUID, now: datetime) -> tuple[Consent, ...]:
    """Those that somebody gave or has, oldest first."""
    return tuple(Consent(**row) for row in await tx.fetch(Q.consents, organization_id, patient_id, now, CONSENTS_MAX))


async def find_proxies(tx: Session, organization_id: UUID, query: FindProxies, after: UUID, limit: int) -> tuple[Consent, ...]:
    """At most `limit` accepted consents behind `after`, in order of their ids."""
    asked = (list(each) or None for each in (query.ids, query.patient_ids, query.proxy_patient_ids))
    return tuple(Consent(**row) for row in await tx.fetch(Q.find_proxies, organization_id, after, *asked, limit))


async def withdraw_consent(
    tx: Session, organization_id: UUID, consent_id: UUID, patient_id: UUID | None, subject: str, now: datetime
) -> Consent | None:  # fmt: skip
    """None when there is none to withdraw, of this patient or proxy if one is given."""
    row = await tx.fetch_one(Q.withdraw_consent, organization_id, consent_id, patient_id, subject, now)
    return Consent(**row) if row else None


async def withdraw_consents_of(tx: Session, organization_id: UUID, patient_id: UUID, now: datetime) -> None:
    """End every consent that this patient gave or has."""
    await tx.execute(Q.withdraw_consents_of, organization_id, patient_id, now)


async def take_over_consents(tx: Session, organization_id: UUID, prior_id: UUID, now: datetime) -> list[UUID]:
    """Give a merged record's consents to its survivor, and end those between the two; which went over."""
    await tx.execute(Q.withdraw_consents_between, organization_id, prior_id, now)
    return [row["id"] for row in await tx.fetch(Q.take_over_consents, organization_id, prior_id)]


async def end_sessions_of_consent(tx: Session, organization_id: UUID, consent_id: UUID, now: datetime) -> None:
    await tx.execute(Q.end_sessions_of_consent, organization_id, consent_id, now)


async def insert_client(tx: Session, organization_id: UUID, client: Client) -> bool:
    """Make the client and its account, of one id. False where another client has its issuer."""
    row = await tx.fetch_one(
        Q.insert_client, organization_id, client.id, f"client/{client.id}", CLIENT_ROLE, client.name, list(client.site_ids),
        client.created_at, list(client.scopes), _keys(client), client.keys_address, client.issuer,
        list(client.redirect_uris), client.launch_uri,
    )  # fmt: skip
    return row is not None


async def client_by_id(db: Session, client_id: UUID) -> KnownClient | None:
    row = await db.fetch_one(Q.client_by_id, client_id)
    return _client(row) if row else None


async def client_by_issuer(db: Session, issuer: str) -> KnownClient | None:
    row = await db.fetch_one(Q.client_by_issuer, issuer)
    return _client(row) if row else None


async def clients(db: Session, organization_id: UUID, limit: int) -> tuple[Client, ...]:
    """In the order in which they were made."""
    return tuple(_client(row).client for row in await db.fetch(Q.clients, organization_id, limit))


async def startable_apps(db: Session, organization_id: UUID, limit: int) -> tuple[Client, ...]:
    """Apps that the staff may start, by name."""
    return tuple(_client(row).client for row in await db.fetch(Q.startable_apps, organization_id, limit))


async def redirect_uris(db: Session, limit: int) -> list[str]:
    """Where apps have people sent back to, in whatever tenant."""
    return [row["address"] for row in await db.fetch(Q.redirect_uris, limit)]


async def change_client_keys(tx: Session, organization_id: UUID, command: ChangeClientKeys) -> bool:
    """False when there is no such client."""
    row = await tx.fetch_one(Q.change_client_keys, organization_id, command.client_id, _keys(command), command.keys_address)
    return row is not None


async def note_assertion(tx: Session, organization_id: UUID, client_id: UUID, jti_hash: bytes, expires_at: datetime) -> bool:
    """Whether the assertion serves for the first time; now it has."""
    return await tx.fetch_one(Q.note_assertion, organization_id, client_id, jti_hash, expires_at) is not None


async def insert_app_grant(tx: Session, organization_id: UUID, made: Grant, code: IssuedAppCode) -> None:
    """Keep what a person lets an app do, in the place of what they let it do before."""
    await tx.execute(Q.end_earlier_app_grants, organization_id, made.client_id, made.account_id, made.patient_id, code.issued_at)
    await tx.execute(
        Q.insert_app_grant, organization_id, made.id, made.client_id, made.account_id, made.consent_id, made.patient_id, code.session_id,
        list(made.scopes), made.authenticated_at, code.issued_at, made.ends_at, code.redirect_uri, code.challenge, code.code_hash,
        code.until, made.encounter_id, made.appointment_id, code.nonce,
    )  # fmt: skip


async def insert_launch(
    tx: Session, organization_id: UUID, launch_hash: bytes, client_id: UUID, session_id: UUID, made: Launch
) -> None:  # fmt: skip
    """Keep what was started, for its app to ask for until `made.ends_at`."""
    await tx.execute(
        Q.insert_launch, organization_id, launch_hash, client_id, session_id, made.patient_id, made.encounter_id, made.appointment_id,
        made.ends_at,
    )  # fmt: skip


async def take_launch(
    tx: Session, organization_id: UUID, launch_hash: bytes, client_id: UUID, session_id: UUID, now: datetime
) -> Launch | None:  # fmt: skip
    """What was started for this app in this session, and is not any more. It may act until `ends_at`, when the session ends."""
    row = await tx.fetch_one(Q.take_launch, organization_id, launch_hash, client_id, session_id, now)
    return Launch(**row) if row else None


async def carry_app_grants(tx: Session, organization_id: UUID, from_token: bytes, account_id: UUID, to_session: UUID) -> None:
    await tx.execute(Q.carry_app_grants, organization_id, from_token, account_id, to_session)


async def app_grant_by_code(tx: Session, organization_id: UUID, code_hash: bytes) -> Brought | None:
    """What was let in under this code, its row locked."""
    row = await tx.fetch_one(Q.app_grant_by_code, organization_id, code_hash)
    return _brought(row) if row else None


async def app_grant_by_refresh_token(tx: Session, organization_id: UUID, token_hash: bytes, now: datetime) -> Brought | None:
    """What this refresh token is of, both rows locked."""
    row = await tx.fetch_one(Q.app_grant_by_refresh_token, organization_id, token_hash, now)
    return _brought(row) if row else None


async def practitioner_of_account(tx: Session, organization_id: UUID, account_id: UUID) -> UUID | None:
    """The entry of the directory that a member of staff is, where one is known."""
    row = await tx.fetch_one(Q.practitioner_of_account, organization_id, account_id)
    return row["practitioner_id"] if row else None


async def set_practitioner_of_account(tx: Session, organization_id: UUID, account_id: UUID, practitioner_id: UUID | None) -> None:
    await tx.execute(Q.set_practitioner_of_account, organization_id, account_id, practitioner_id)


async def client_of_app_grant(db: Session, organization_id: UUID, grant_id: UUID) -> UUID | None:
    row = await db.fetch_one(Q.client_of_app_grant, organization_id, grant_id)
    return row["client_id"] if row else None


async def use_app_code(tx: Session, organization_id: UUID, grant_id: UUID, now: datetime) -> None:
    await tx.execute(Q.use_app_code, organization_id, grant_id, now)


async def use_refresh_token(tx: Session, organization_id: UUID, grant_id: UUID, token_hash: bytes, now: datetime) -> None:
    await tx.execute(Q.use_refresh_token, organization_id, grant_id, token_hash, now)


async def insert_refresh_token(tx: Session, organization_id: UUID, token_hash: bytes, grant_id: UUID, now: datetime) -> None:
    await tx.execute(Q.insert_refresh_token, organization_id, token_hash, grant_id, now)


async def app_grants(
    db: Session, organization_id: UUID, account_id: UUID, patient_id: UUID | None, now: datetime
) -> tuple[AppLetIn, ...]:  # fmt: skip
    """The latest first."""
    rows = await db.fetch(Q.app_grants, organization_id, account_id, patient_id, now, APPS_MAX)
    return tuple(AppLetIn(**dict(row) | {"scopes": tuple(row["scopes"])}) for row in rows)


async def app_grants_of_patient(
    tx: Session, organization_id: UUID, query: ListAppGrants, after: UUID, now: datetime, limit: int
) -> tuple[AppGrant, ...]:  # fmt: skip
    """In order of ids, at most `limit` of those behind `after`."""
    rows = await tx.fetch(Q.app_grants_of_patient, organization_id, query.patient_id, now, after, limit)
    return tuple(AppGrant(**dict(row) | {"scopes": tuple(row["scopes"])}) for row in rows)


async def end_app_grant(
    tx: Session, organization_id: UUID, grant_id: UUID, by: tuple[UUID, UUID | None] | None, now: datetime, reason: str
) -> UUID | None:  # fmt: skip
    """End an app's access, of this account or to this record if `by` names them; whose record it was. None when there is none to end."""
    account_id, patient_id = by or (None, None)
    row = await tx.fetch_one(Q.end_app_grant, organization_id, grant_id, account_id, patient_id, now, reason)
    return row["patient_id"] if row else None


async def delete_app_grants_of_patient(tx: Session, organization_id: UUID, patient_id: UUID, account_id: UUID | None) -> None:
    await tx.execute(Q.delete_app_grants_of_patient, organization_id, patient_id, account_id)


async def insert_break_glass(tx: Session, cipher: FieldCipher, broken: BreakGlass, account_id: UUID, session_id: UUID) -> None:
    reason = cipher.seal(BREAK_GLASS, "reason", broken.id, broken.reason.encode())
    await tx.execute(
        Q.insert_break_glass, cipher.organization_id, broken.id, account_id, session_id, broken.role, broken.purpose, reason,
        broken.started_at, broken.until,
    )  # fmt: skip


async def end_break_glass(tx: Session, organization_id: UUID, session_id: UUID, now: datetime) -> list[UUID]:
    return [row["id"] for row in await tx.fetch(Q.end_break_glass, organization_id, session_id, now)]


async def active_break_glass(db: Session, cipher: FieldCipher, session_id: UUID, now: datetime) -> BreakGlass | None:
    row = await db.fetch_one(Q.active_break_glass, cipher.organization_id, session_id, now)
    return _broken(cipher, row) if row else None


async def break_glass_reviews(tx: Session, cipher: FieldCipher, query: ListReviews) -> tuple[BreakGlass, ...]:
    """Oldest first."""
    rows = await tx.fetch(Q.break_glass_reviews, cipher.organization_id, query.closed, query.limit)
    return tuple(_broken(cipher, row) for row in rows)


async def break_glass_for_change(tx: Session, cipher: FieldCipher, break_glass_id: UUID) -> BreakGlass | None:
    """What was broken, its row locked."""
    row = await tx.fetch_one(Q.break_glass_for_change, cipher.organization_id, break_glass_id)
    return _broken(cipher, row) if row else None


async def close_break_glass(tx: Session, cipher: FieldCipher, command: CloseReview, closed_by: str, now: datetime) -> None:
    finding = cipher.seal(BREAK_GLASS, "finding", command.break_glass_id, command.finding.encode())
    await tx.execute(Q.close_break_glass, cipher.organization_id, command.break_glass_id, now, closed_by, command.outcome, finding)


async def reseal_break_glass(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal reasons and findings anew that an older key sealed, at most `limit` with ids behind `after`; their ids in order."""
    queries = (Q.break_glass_to_reseal, Q.reseal_break_glass)
    return await reseal_rows(tx, cipher, BREAK_GLASS, ("reason", "finding"), queries, after, limit)


async def forget_old(db: Session, codes_before: datetime, sessions_before: datetime, limit: int) -> None:
    """Delete what has served its time, `limit` rows of each kind at most."""
    await db.execute(Q.forget_old_codes, codes_before, limit)
    await db.execute(Q.forget_old_assertions, codes_before, limit)
    await db.execute(Q.forget_old_sign_ins, codes_before, limit)
    await db.execute(Q.forget_old_launches, codes_before, limit)
    await db.execute(Q.forget_old_id_keys, codes_before, limit)
    await db.execute(Q.forget_old_passkey_challenges, codes_before, limit)
    await db.execute(Q.forget_old_refresh_tokens, sessions_before, limit)
    await db.execute(Q.forget_old_app_grants, sessions_before, limit)
    await db.execute(Q.forget_old_sessions, sessions_before, limit)


def owner_of(row: Row) -> Owner:
    """Whose account a row of `account` is."""
    return Owner(
        account_id=row["id"], subject=row["subject"], role=row["role"], display=row["display"], patient_id=row["patient_id"],
        site_ids=tuple(row["site_ids"]),
    )  # fmt: skip


def account_of(row: Row) -> Account:
    return Account(
        id=row["id"], subject=row["subject"], role=row["role"], display=row["display"], patient_id=row["patient_id"],
        site_ids=tuple(row["site_ids"]), disabled=row["disabled_at"] is not None, locked=is_locked(row),
    )  # fmt: skip


def is_locked(row: Row) -> bool:
    """Whether too many codes in a row were wrong."""
    return bool(row["code_failures"] >= FAILURES_MAX)


async def dispose_break_glass(tx: Session, organization_id: UUID, before: datetime, limit: int) -> list[Gone]:
    """Delete what was reviewed before `before`, unless anything is on hold."""
    return [Gone("Task", row["id"]) for row in await tx.fetch(Q.dispose_break_glass, organization_id, before, limit)]


def _brought(row: Row) -> Brought:
    """A row that names the grant's columns as its value does, and beside them what this way of bringing is held against."""
    said = dict(row) | {"scopes": tuple(row["scopes"])}
    grant = Grant(**{name: said.pop(name) for name in Grant.__struct_fields__})
    return Brought(grant=grant, **said)


def _keys(of: Client | ChangeClientKeys) -> bytes | None:
    return msgspec.json.encode(of.keys) if of.keys else None


def _client(row: Row) -> KnownClient:
    keys = () if row["keys"] is None else msgspec.json.decode(row["keys"], type=tuple[PublicKey, ...])
    disabled = row["disabled_at"] is not None
    client = Client(
        id=row["id"], name=row["display"], scopes=tuple(row["scopes"]), keys=keys, keys_address=row["keys_address"],
        issuer=row["issuer"], site_ids=tuple(row["site_ids"]), redirect_uris=tuple(row["redirect_uris"]),
        launch_uri=row["launch_uri"], disabled=disabled, created_at=row["created_at"],
    )  # fmt: skip
    return KnownClient(organization_id=row["organization_id"], client=client, owner=owner_of(row), disabled=disabled)


def _broken(cipher: FieldCipher, row: Row) -> BreakGlass:
    words = {column: _said(cipher, row, column) for column in ("reason", "finding")}
    return BreakGlass(**{**row, **words})


def _said(cipher: FieldCipher, row: Row, column: str) -> str | None:
    return None if row[column] is None else cipher.open_(BREAK_GLASS, column, row["id"], row[column]).decode()


def _kept(row: Row) -> Kept:
    owner = Owner(
        account_id=row["account_id"], subject=row["subject"], role=row["role"], display=row["display"], patient_id=row["patient_id"],
        practitioner_id=row["practitioner_id"], site_ids=tuple(row["site_ids"]),
    )  # fmt: skip
    return Kept(
        id=row["id"], organization_id=row["organization_id"], owner=owner, method=row["method"], started_at=row["started_at"],
        last_used_at=row["last_used_at"], authenticated_at=row["authenticated_at"], idle_seconds=row["idle_seconds"],
        absolute_until=row["absolute_until"], scopes=None if row["scopes"] is None else tuple(row["scopes"]),
        consent_id=row["consent_id"], grant_id=row["grant_id"],
    )  # fmt: skip
