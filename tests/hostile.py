"""What somebody may bring who has no right to come in: tokens and sessions of every bad kind, each with a name of its own."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from carewright.kernel import authz
from carewright.kernel.clock import Clock
from carewright.kernel.token_keys import TokenKeys
from tests.issuer import part

KEY = b"0123456789abcdef0123456789abcdef"
OTHER_KEY = b"another key, which is long enough"


class Forge:
    """Makes signed tokens of ours, right in everything but what it is told: `claims` and `head` are laid over, None leaves one out."""

    def __init__(self, clock: Clock, organization_id: UUID) -> None:
        self._clock, self._organization_id = clock, organization_id

    def at(self, **later: float) -> int:
        """So long after now, in seconds since the epoch."""
        return int((self._clock.now() + timedelta(**later)).timestamp())

    def token(self, claims: Mapping[str, object] | None = None, head: Mapping[str, object] | None = None, key: bytes = KEY) -> str:
        made: dict[str, object] = {
            "iss": authz.ISSUER,
            "aud": authz.AUDIENCE,
            "sub": "anna",
            "org": str(self._organization_id),
            "role": "front-desk",
            "iat": self.at(),
            "exp": self.at(hours=1),
            "jti": "1f",
        }
        over: dict[str, object] = {"alg": "HS256", "kid": TokenKeys.of(KEY).keys[0].id, "typ": "JWT"} | dict(head or {})
        signed = f"{part(_kept(over))}.{part(_kept(made | dict(claims or {})))}"
        return f"{signed}.{urlsafe_b64encode(hmac.digest(key, signed.encode(), 'sha256')).rstrip(b'=').decode()}"

    def unsigned(self, algorithm: str, signature: str = "") -> str:
        claims = self.token().split(".")[1]
        return f"{part({'alg': algorithm, 'kid': TokenKeys.of(KEY).keys[0].id, 'typ': 'JWT'})}.{claims}.{signature}"

    def under_other_claims(self) -> str:
        head, _, signature = self.token().split(".")
        return f"{head}.{self.token({'role': 'administrator'}).split('.')[1]}.{signature}"


def _kept(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


Make = Callable[[Forge], str]
CLAIMS: dict[str, Callable[[Forge], dict[str, Any]]] = {
    "a role we do not have": lambda _: {"role": "king"},
    "no role": lambda _: {"role": None},
    "another issuer": lambda _: {"iss": "somebody"},
    "no issuer": lambda _: {"iss": None},
    "no organization": lambda _: {"org": None},
    "an organization that is no id": lambda _: {"org": "x"},
    "another audience": lambda _: {"aud": "somebody"},
    "no audience": lambda _: {"aud": None},
    "a list of audiences": lambda _: {"aud": ["carewright"]},
    "no end": lambda _: {"exp": None},
    "an end in words": lambda _: {"exp": "soon"},
    "expired": lambda f: {"exp": f.at()},
    "expired an hour ago": lambda f: {"iat": f.at(hours=-2), "exp": f.at(hours=-1)},
    "good for too long": lambda f: {"exp": f.at(hours=25)},
    "good for ever": lambda _: {"exp": 2**70},
    "no time of making": lambda _: {"iat": None},
    "made in the future": lambda f: {"iat": f.at(minutes=50)},
    "a subject that is a number": lambda _: {"sub": 5},
    "no id of its own": lambda _: {"jti": None},
    "an empty id": lambda _: {"jti": ""},
    "an id that is a number": lambda _: {"jti": 7},
    "a claim more": lambda _: {"admin": True},
    "sites in words": lambda _: {"sites": "all"},
    "a session in words": lambda _: {"sid": "all"},
    "a patient in words": lambda _: {"patient": "me"},
    "proved in no year": lambda _: {"auth_time": 2**70},
}
HEADS: dict[str, dict[str, Any]] = {
    "another kid": {"kid": "another"},
    "an empty kid": {"kid": ""},
    "no kid": {"kid": None},
    "a kid that is a number": {"kid": 5},
    "a kid that is a path": {"kid": "../../dev/null"},
    "another typ": {"typ": "at+jwt"},
    "an address of keys": {"jku": "https://evil.example.org/keys"},
    "a critical extension": {"crit": ["exp"], "exp": 1},
    "a key of its own": {"jwk": {"kty": "oct", "k": "AAAA"}},
    "an address of a certificate": {"x5u": "https://evil.example.org/c"},
    "a content type": {"cty": "JWT"},
}
BEARERS: dict[str, Make] = {
    **{name: lambda forge, made=made: forge.token(made(forge)) for name, made in CLAIMS.items()},  # type: ignore[misc]  # each of its own
    **{name: lambda forge, head=head: forge.token(head=head) for name, head in HEADS.items()},  # type: ignore[misc]  # each of its own
    **{f"alg {name}": lambda forge, name=name: forge.unsigned(name) for name in ("none", "None", "nOnE", "HS512", "RS256")},  # type: ignore[misc]  # each name has a maker of its own
    "alg none and a signature": lambda forge: forge.unsigned("none", "eHh4"),
    "signed with another key": lambda forge: forge.token(key=OTHER_KEY),
    "signed with nothing": lambda forge: forge.token(key=b""),
    "claims that were changed": lambda forge: forge.under_other_claims(),
    "cut off": lambda forge: forge.token()[:-6],
    "cut in two": lambda forge: forge.token().rpartition(".")[0],
    "a part more": lambda forge: f"{forge.token()}.e30",
    "twice": lambda forge: forge.token() * 2,
    "no JSON": lambda _: "eA.eA.eA",
    "dots": lambda _: "a.b.c",
    "without end": lambda _: "x" * 5000,
}
SESSIONS = {
    "one that never was": "cws_" + "0" * 32,
    "in capitals": "CWS_" + "0" * 32,
    "too short": "cws_" + "0" * 31,
    "too long": "cws_" + "0" * 33,
    "nothing behind the prefix": "cws_",
    "a link's": "cwl_" + "1" * 32,
    "SQL": "cws_' OR '1'='1",
    "a path": "cws_../../sessions",
    "no hexadecimal digits": "cws_" + "g" * 32,
    "without end": "cws_" + "0" * 3000,
}
"""Tokens of sessions that nobody was given. Those that were, and have ended, are made where they are tried."""
