"""Apps that people let in, or start: what one may ask, what it is given, and when a code or a refresh token is good.

SMART App Launch 2.2: RFC 6749 (authorization code), RFC 7636 (PKCE, S256 alone), RFC 9700 (single use, rotation).
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from carewright.contracts import smart
from carewright.contracts.access import AppAskedWrongly
from carewright.contracts.apps import AskApp
from carewright.contracts.consents import ConsentScope
from carewright.contracts.permissions import ROLES

CODE_PREFIX, REFRESH_PREFIX, LAUNCH_PREFIX = "cwc_", "cwr_", "cwl_"
SECRET_BYTES = 16
CODE_LIFETIME = timedelta(minutes=1)
LAUNCH_LIFETIME = timedelta(minutes=5)
"""How long an app that was started may take to ask."""
LONGEST = timedelta(days=365)
"""After which a person must let an app in anew, however often it asks."""
VERIFIER_LENGTHS = range(43, 129)
"""RFC 7636, section 4.1."""
CHALLENGE_LENGTH = 43
READS = frozenset({smart.READ, smart.SEARCH})
START = "access.app.start"
PATIENT = "patient"
LETTING_IN = (PATIENT, *(role for role, permissions in ROLES.items() if START in permissions))
"""Roles of those by whose word an app comes in."""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody of the staff starts an app about, and until when: to be asked for, and once it was, for the app to act."""

    patient_id: UUID
    encounter_id: UUID | None
    appointment_id: UUID | None
    ends_at: datetime


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a person lets an app do. `patient_id` is whose record it is, `consent_id` by which consent if it is not their own.

    `encounter_id` and `appointment_id` are what the staff started it about.
    """

    id: UUID
    client_id: UUID
    account_id: UUID
    consent_id: UUID | None
    patient_id: UUID
    encounter_id: UUID | None = None
    appointment_id: UUID | None = None
    scopes: tuple[str, ...]
    authenticated_at: datetime
    ends_at: datetime

    @property
    def is_launched(self) -> bool:
        """Whether the staff started it: it acts for them, about the patient."""
        return smart.LAUNCH in self.scopes


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What an app brought a code or a refresh token for. `until` is when a code ends; `may_refresh` is asked of refresh tokens."""

    grant: Grant
    ended_at: datetime | None
    used_at: datetime | None
    redirect_uri: str = ""
    challenge: str = ""
    nonce: str = ""
    until: datetime | None = None
    may_refresh: bool = True

    def is_live(self, now: datetime) -> bool:
        return self.ended_at is None and now < min(self.grant.ends_at, self.until or self.grant.ends_at)


class IssuedAppCode(msgspec.Struct, frozen=True, kw_only=True):
    """What a code is held against when the app brings it. `session_id` is where the person was signed in."""

    code_hash: bytes
    issued_at: datetime
    until: datetime
    redirect_uri: str
    challenge: str
    nonce: str
    session_id: UUID


def may_register(scope: str) -> bool:
    """Whether an app may have a scope: one that opens something to patients or to staff who start apps, or one of the other words."""
    return scope in smart.APP_WORDS or any(_opens(scope, role) for role in LETTING_IN)


def ensure_asked(asked: AskApp, base: str) -> None:
    """Raise `AppAskedWrongly` unless an app asked for a code, for our FHIR `base`, with `state` and PKCE by S256."""
    if asked.response_type != "code":
        raise AppAskedWrongly(error="unsupported_response_type" if asked.response_type else "invalid_request")
    holds = (
        asked.aud.rstrip("/") == base and asked.state and asked.code_challenge_method == "S256"
        and len(asked.code_challenge) == CHALLENGE_LENGTH
    )  # fmt: skip
    if not holds:
        raise AppAskedWrongly(error="invalid_request")


def grantable(asked: Iterable[str], registered: Collection[str], role: str) -> tuple[str, ...]:
    """Those of the scopes that the app may have of somebody with this role; the rest is left out (RFC 6749, section 3.3)."""
    words = smart.PATIENT_WORDS if role == PATIENT else smart.STAFF_WORDS
    return tuple(each for each in dict.fromkeys(asked) if (each in words or _opens(each, role)) and smart.covered((each,), registered))


def clinical(scopes: Iterable[str]) -> tuple[str, ...]:
    return tuple(each for each in scopes if each not in smart.APP_WORDS)


def within(scopes: Iterable[str], by: ConsentScope) -> tuple[str, ...]:
    """What a proxy may hand on: who may only see lets an app only read."""
    return tuple(each for each in scopes if by == "book" or each in smart.APP_WORDS or _only_reads(each))


def may_refresh(scopes: Collection[str]) -> bool:
    return smart.OFFLINE in scopes or smart.ONLINE in scopes


def proves(verifier: str, challenge: str) -> bool:
    """Whether the app that brings `verifier` is the one that asked (RFC 7636, section 4.6)."""
    hashed = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return len(verifier) in VERIFIER_LENGTHS and verifier.isascii() and hmac.compare_digest(hashed, challenge)


def _opens(text: str, role: str) -> bool:
    """Whether a scope opens anything to somebody with this role. To patients `user/` would say the same as `patient/`, and is not taken."""
    scope = smart.scope_in(text)
    where = ("patient",) if role == PATIENT else ("patient", "user")
    return scope is not None and scope.where in where and bool(smart.permissions_of((text,)) & ROLES[role])


def _only_reads(text: str) -> bool:
    scope = smart.scope_in(text)
    return scope is not None and scope.letters <= READS
