"""The token endpoint: who proves themselves by `private_key_jwt` gets a token (SMART App Launch 2.2, Backend Services; RFC 7523)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from carewright.mock.ehr.answers import Answer, Asked, Wrong

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS_MAX = 300
ClaimsOf = Mapping[str, Any]


@dataclass
class TokenDesk:
    """`keys` are the public keys of the one client `client_id`; without any, no token is asked for, as in an open sandbox.

    `address` is the endpoint's own, which an assertion must be made for.
    """

    client_id: str
    keys: KeySet | None
    algorithms: tuple[str, ...]
    seconds: int
    address: str
    now: Callable[[], datetime]
    used: set[str] = field(default_factory=set)
    until: dict[str, float] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Answer:
        """A token, or `invalid_client` without a word of why, as Epic says it."""
        form = {name: values[0] for name, values in parse_qs(asked.body.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != ASSERTION_TYPE:
            return Answer(status=400, body={"error": "unsupported_grant_type", "error_description": None})
        if not self._is_believed(form.get("client_assertion", "")):
            return Answer(status=400, body={"error": "invalid_client", "error_description": None})
        token = sha256(form["client_assertion"].encode()).hexdigest()
        self.until[token] = self.now().timestamp() + self.seconds
        scheme, scope = "bearer", form.get("scope", "")
        said = {"access_token": token, "token_type": scheme, "expires_in": self.seconds, "scope": scope}
        return Answer(body=said, headers={"Cache-Control": "no-store"})

    def ensure(self, asked: Asked) -> None:
        """Raise `Wrong` unless the request has a token that is good."""
        if self.keys is None:
            return
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or self.until.get(token, 0) <= self.now().timestamp():
            raise Wrong(401, "login", "A bearer token is needed.", {"WWW-Authenticate": 'Bearer error="invalid_token"'})

    def _is_believed(self, assertion: str) -> bool:
        if self.keys is None:
            return True
        try:
            read = jwt.decode(assertion, self.keys, algorithms=list(self.algorithms))
        except (JoseError, ValueError, TypeError, msgspec.DecodeError):
            return False
        return "kid" in read.header and self._holds(read.claims)

    def _holds(self, claims: ClaimsOf) -> bool:
        """For us, by the client, for five minutes at most, and once."""
        now, ends, mark = self.now().timestamp(), claims.get("exp", 0), str(claims.get("jti", ""))
        by_client = claims.get("iss") == claims.get("sub") == self.client_id
        in_time = isinstance(ends, int | float) and now < ends <= now + ASSERTION_SECONDS_MAX
        if not (by_client and in_time and claims.get("aud") == self.address and mark and mark not in self.used):
            return False
        self.used.add(mark)
        return True
