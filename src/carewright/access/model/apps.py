"""Apps that people let in: what one may ask, what it is given, and when a code or a refresh token is good.

SMART App Launch 2.2, standalone launch: RFC 6749 (authorization code), RFC 7636 (PKCE, S256 alone), RFC 9700 (single use, rotation).
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

CODE_PREFIX, REFRESH_PREFIX = "cwc_", "cwr_"
SECRET_BYTES = 16
CODE_LIFETIME = timedelta(minutes=1)
LONGEST = timedelta(days=365)
"""After which a person must let an app in anew, however often it asks."""
VERIFIER_LENGTHS = range(43, 129)
"""RFC 7636, section 4.1."""
CHALLENGE_LENGTH = 43
READS = frozenset({smart.READ, smart.SEARCH})


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a person lets an app do. `patient_id` is whose record it is, `consent_id` by which consent if it is not their own."""

    id: UUID
    client_id: UUID
    account_id: UUID
    consent_id: UUID | None
    patient_id: UUID
    scopes: tuple[str, ...]
    authenticated_at: datetime
    ends_at: datetime


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What an app brought a code or a refresh token for. `until` is when a code ends; `may_refresh` is asked of refresh tokens."""

    grant: Grant
    ended_at: datetime | None
    used_at: datetime | None
    redirect_uri: str = ""
    challenge: str = ""
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
    session_id: UUID


def may_register(scope: str) -> bool:
    """Whether an app may have a scope: one of `patient/` that opens something to patients, or a word that is none of these."""
    return scope in smart.APP_WORDS or _opens(scope)


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


def grantable(asked: Iterable[str], registered: Collection[str]) -> tuple[str, ...]:
    """Those of the scopes that the app may have; what we do not know or serve is left out (RFC 6749, section 3.3)."""
    return tuple(each for each in dict.fromkeys(asked) if may_register(each) and smart.covered((each,), registered))


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


def _opens(text: str) -> bool:
    scope = smart.scope_in(text)
    return scope is not None and scope.where == "patient" and bool(smart.permissions_of((text,)) & ROLES["patient"])


def _only_reads(text: str) -> bool:
    scope = smart.scope_in(text)
    return scope is not None and scope.letters <= READS
