"""A made-up EHR asked without a socket, by a client that has proved itself."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from carewright.kernel.clock import ManualClock
from carewright.mock.ehr.answers import Answer, Asked
from carewright.mock.ehr.server import PROFILES, Ehr, Wish
from carewright.mock.ehr.tokens import ASSERTION_TYPE

ORIGIN = "http://ehr.test"
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
KEY = ECKey.generate_key("P-384", {"use": "sig"}, private=True, auto_kid=True)
Json = Any


@dataclass
class Client:
    """Asks as whoever holds `token`."""

    ehr: Ehr
    clock: ManualClock
    token: str = ""

    def ask(self, method: str, path: str, query: Json = (), body: Json = None, **headers: str) -> Answer:
        given = {"authorization": f"Bearer {self.token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        content = b"" if body is None else json.dumps(body).encode()
        return self.ehr.answer(Asked(method=method, path=path, query=tuple(query), headers=given, body=content))

    def fhir(self, method: str, place: str, query: Json = (), body: Json = None, **headers: str) -> Answer:
        return self.ask(method, f"{self.ehr.profile.base}/{place}", query, body, **headers)

    def search(self, kind: str, **query: str) -> Json:
        answer = self.fhir("GET", kind, query.items())
        assert answer.status == 200, answer
        return answer.body

    def follow(self, url: str) -> Answer:
        parts = urlsplit(url)
        return self.ask("GET", parts.path, parse_qsl(parts.query))

    def prove(self, **changed: Json) -> Answer:
        """Ask for a token, with claims or headers of the assertion changed."""
        head = {"alg": "ES384", "kid": KEY.kid} | changed.pop("head", {})
        ends = int(self.clock.now().timestamp()) + 240
        claims = {"iss": "carewright", "sub": "carewright", "aud": self.ehr.desk.address, "exp": ends, "jti": "one"} | changed
        assertion = jwt.encode({name: value for name, value in head.items() if value}, claims, KEY, algorithms=["ES384"])
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        return self.ehr.answer(Asked(method="POST", path=self.ehr.profile.token_path, body=urlencode(form).encode()))


Connect = Callable[..., Client]


@pytest.fixture
def connect() -> Connect:
    """A client of an EHR with this profile and these wishes, signed in."""

    def connected(profile: str, **wishes: Json) -> Client:
        clock = ManualClock(NOON)
        keys = KeySet.import_key_set({"keys": [KEY.as_dict(private=False)]})
        wish = Wish(profile=PROFILES[profile], origin=ORIGIN, start_on=date(2026, 11, 26), keys=keys, **wishes)
        client = Client(Ehr(wish, clock), clock)
        answer = client.prove()
        assert answer.body is not None
        client.token = answer.body["access_token"]
        return client

    return connected
