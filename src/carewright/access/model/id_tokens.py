"""Who signed in, told to an app in a token that it can check (OpenID Connect Core 1.0, section 2; SMART App Launch 2.2).

Signed with RS256, which SMART asks for; a key signs for 90 days, and is published for a day more than that.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.jwk import RSAKey

from carewright.access.model.apps import Grant
from carewright.access.model.sessions import APP_SECONDS
from carewright.contracts import smart

ALGORITHM = "RS256"
BITS = 2048
SIGNS = timedelta(days=90)


class IdKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of an organization. `private` is its JWK as JSON, `public` what is published of it, likewise."""

    id: UUID
    private: bytes
    public: bytes
    signs_until: datetime


def new_key(key_id: UUID, now: datetime) -> IdKey:
    """A key that nobody has yet. It takes a processor for a tenth of a second, or several."""
    made = RSAKey.generate_key(BITS, {"kid": str(key_id), "use": "sig", "alg": ALGORITHM}, private=True)
    private, public = (msgspec.json.encode(made.as_dict(private=whole)) for whole in (True, False))
    return IdKey(id=key_id, private=private, public=public, signs_until=now + SIGNS)


def fhir_user(grant: Grant, base: str, practitioner_id: UUID | None) -> str | None:
    """The resource that the person is who let the app in: staff, a proxy, or a patient. None for staff of whom no entry is known."""
    if grant.is_launched:
        return f"{base}/Practitioner/{practitioner_id}" if practitioner_id else None
    return f"{base}/RelatedPerson/{grant.consent_id}" if grant.consent_id else f"{base}/Patient/{grant.patient_id}"


def signed(key: IdKey, grant: Grant, who: dict[str, str | None], nonce: str, now: datetime) -> str:
    """The token for one app about one sign-in. `who` says `iss`, `sub` and `fhirUser`; what is None or empty is not said."""
    until = min(now + timedelta(seconds=APP_SECONDS), grant.ends_at)
    claims: dict[str, Any] = {
        **who, "nonce": nonce, "aud": str(grant.client_id), "iat": _seconds(now), "exp": _seconds(until),
        "auth_time": _seconds(grant.authenticated_at),
    }  # fmt: skip
    if smart.FHIR_USER not in grant.scopes:
        claims["fhirUser"] = None
    head = {"alg": ALGORITHM, "typ": "JWT", "kid": str(key.id)}
    said = {name: value for name, value in claims.items() if value}
    return jwt.encode(head, said, RSAKey.import_key(msgspec.json.decode(key.private)), algorithms=[ALGORITHM])


def _seconds(at: datetime) -> int:
    """Seconds since the epoch (RFC 7519, NumericDate)."""
    return int(at.timestamp())
