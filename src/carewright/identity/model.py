"""What the provider accepts: pure rules (OpenID Connect Core 1.0, RFC 7636)."""

import hashlib
import hmac
import ipaddress
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from carewright.contracts.permissions import STAFF

ACCOUNTS = tuple(sorted(STAFF))
"""Demonstration accounts: one for each role of staff, called as it is."""
CODE_LIFETIME = timedelta(seconds=60)
TOKEN_LIFETIME = timedelta(minutes=5)
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class Wrong(Exception):
    """An error of RFC 6749, section 4.1.2.1 or 5.2."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a code stands for."""

    account: str
    redirect_uri: str
    challenge: str
    nonce: str
    proved_at: datetime
    until: datetime


def is_loopback(host: str) -> bool:
    """Whether the name or number is this machine's alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def ensure_request(asked: Mapping[str, str]) -> None:
    """Raise `Wrong` for anything but an authorization code, in the query of the address, with PKCE S256, a state and a nonce."""
    if asked.get("response_type") != "code":
        raise Wrong("unsupported_response_type")
    if "openid" not in asked.get("scope", "").split():
        raise Wrong("invalid_scope")
    if asked.get("response_mode", "") not in ("", "query"):
        raise Wrong("invalid_request")
    plain = asked.get("code_challenge_method") != "S256" or CHALLENGE.fullmatch(asked.get("code_challenge", "")) is None
    if plain or not asked.get("state") or not asked.get("nonce"):
        raise Wrong("invalid_request")


def ensure_grant(grant: Grant | None, form: Mapping[str, str], now: datetime) -> Grant:
    """Raise `Wrong` unless the code is good, for this address, and the verifier is the one its challenge was made of."""
    verifier = form.get("code_verifier", "")
    if grant is None or now >= grant.until or form.get("redirect_uri") != grant.redirect_uri:
        raise Wrong("invalid_grant")
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if VERIFIER.fullmatch(verifier) is None or not hmac.compare_digest(challenge, grant.challenge):
        raise Wrong("invalid_grant")
    return grant


def subject_of(account: str) -> str:
    """Who the provider says that somebody is."""
    return f"demonstration/{account}"


def id_claims(grant: Grant, issuer: str, client_id: str, now: datetime) -> dict[str, object]:
    """The claims of the ID token for a grant."""
    issued = int(now.timestamp())
    return {
        "iss": issuer, "sub": subject_of(grant.account), "aud": client_id, "iat": issued,
        "exp": issued + int(TOKEN_LIFETIME.total_seconds()), "auth_time": int(grant.proved_at.timestamp()), "nonce": grant.nonce,
        "name": f"Demonstration {grant.account.replace('-', ' ')}", "roles": [grant.account],
    }  # fmt: skip
