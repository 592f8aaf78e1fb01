"""When a request that another system signed is believed: by whom it says it is, for this address, now, and once.

Source: CDS Hooks, Trusting CDS Clients (https://cds-hooks.hl7.org/2.0/#trusting-cds-clients); the algorithms are those of SMART.
"""

from collections.abc import Collection
from datetime import datetime

import msgspec

from carewright.access.model.assertion import Head, Short, ensure_checks, parted, time_checks
from carewright.access.model.oidc import NotBelieved


class CallClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims that a signed request must have. Times are seconds since the epoch."""

    iss: Short
    aud: str | tuple[str, ...]
    exp: int | float
    iat: int | float
    jti: Short


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a signed request says of itself, believed by nobody yet."""

    head: Head
    claims: CallClaims


def call_in(assertion: str) -> Call:
    """Take it apart. Raises `NotBelieved` for what has not its form."""
    head, claims = parted(assertion, CallClaims)
    if head.typ is None:
        raise NotBelieved("typ")
    return Call(head=head, claims=claims)


def ensure_holds(call: Call, endpoints: Collection[str], keys_address: str | None, now: datetime) -> datetime:
    """Raise `NotBelieved` unless the claims are for one of `endpoints`, in force and not for long; returns when they end."""
    claims = call.claims
    audiences = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
    ends_at, checks = time_checks(claims.exp, claims.iat, now)
    ensure_checks(
        checks | {
            "aud": len(audiences) == 1 and audiences[0] in endpoints,
            "jku": call.head.jku is None or call.head.jku == keys_address,
        }
    )  # fmt: skip
    return ends_at
