"""Tokens and actors: what a valid token gives, and that nothing else gives anything."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from carewright.kernel import authz
from carewright.kernel.authz import Actor, Tokens
from carewright.kernel.clock import ManualClock
from carewright.kernel.errors import Forbidden, Unauthenticated
from tests.samples import known_id

KEY = b"0123456789abcdef0123456789abcdef"
ROLES = {"desk": frozenset({"book", "read"}), "patient": frozenset({"read"})}
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, 12, tzinfo=UTC))


@pytest.fixture
def tokens(clock: ManualClock) -> Tokens:
    return Tokens(KEY, clock, ROLES)


def desk(tokens: Tokens) -> Actor:
    return tokens.actor("desk", "anna", known_id(1))


def forged(clock: ManualClock, changed: Mapping[str, object] = MappingProxyType({}), key: bytes = KEY) -> str:
    """A token with our claims but for what is changed; None leaves a claim out."""
    now = int(clock.now().timestamp())
    claims: dict[str, object] = {
        "iss": authz.ISSUER, "sub": "anna", "org": str(known_id(1)), "role": "desk", "iat": now, "exp": now + 3600,
    }  # fmt: skip
    kept = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    return jwt.encode({"alg": "HS256"}, kept, OctKey.import_key(key))


def part(value: object) -> str:
    return urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()


def test_a_token_gives_back_who_it_was_issued_for(tokens: Tokens) -> None:
    actor = msgspec.structs.replace(desk(tokens), patient_id=known_id(2), site_ids=frozenset({known_id(3), known_id(4)}))
    assert tokens.read(tokens.issue(actor, HOUR)) == actor


def test_a_token_ends_when_its_lifetime_is_over(tokens: Tokens, clock: ManualClock) -> None:
    token = tokens.issue(desk(tokens), HOUR)
    clock.advance(seconds=3599)
    tokens.read(token)
    clock.advance(seconds=1)
    with pytest.raises(Unauthenticated, match="expired"):
        tokens.read(token)
    with pytest.raises(Unauthenticated):
        Tokens(KEY, clock, ROLES).read(token)


def test_a_token_of_another_key_is_refused(tokens: Tokens, clock: ManualClock) -> None:
    with pytest.raises(Unauthenticated):
        tokens.read(forged(clock, key=b"another key, which is long enough"))


@pytest.mark.parametrize("algorithm", ["none", "None", "HS512", "RS256"])
def test_only_our_algorithm_counts(tokens: Tokens, clock: ManualClock, algorithm: str) -> None:
    _, claims, signature = forged(clock).split(".")
    with pytest.raises(Unauthenticated):
        tokens.read(f"{part({'alg': algorithm})}.{claims}.{signature}")
    with pytest.raises(Unauthenticated):
        tokens.read(f"{part({'alg': algorithm})}.{claims}.")


def test_changed_claims_break_the_signature(tokens: Tokens, clock: ManualClock) -> None:
    head, _, signature = forged(clock).split(".")
    claims = {"iss": "carewright", "sub": "x", "org": str(known_id(1)), "role": "desk", "iat": 0, "exp": 2**31}
    with pytest.raises(Unauthenticated):
        tokens.read(f"{head}.{part(claims)}.{signature}")


@pytest.mark.parametrize(
    "changed",
    [{"role": "king"}, {"role": None}, {"iss": "somebody"}, {"iss": None}, {"org": "no id"}, {"org": None}, {"exp": None},
     {"exp": "soon"}, {"sub": 5}, {"sites": "all"}],
    ids=str,
)  # fmt: skip
def test_claims_that_are_not_as_we_write_them_are_refused(tokens: Tokens, clock: ManualClock, changed: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        tokens.read(forged(clock, changed))


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "é.é.é", "\0", "x" * 10_000, "e30.e30.e30"])
def test_what_is_no_token_is_refused(tokens: Tokens, text: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens.read(text)


def test_permissions_come_from_the_table_and_not_from_the_token(clock: ManualClock) -> None:
    token = Tokens(KEY, clock, ROLES).issue(desk(Tokens(KEY, clock, ROLES)), HOUR)
    narrowed = Tokens(KEY, clock, ROLES | {"desk": frozenset({"read"})}).read(token)
    assert narrowed.permissions == {"read"}


def test_a_token_is_verified_once_and_the_memory_of_it_is_bounded(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authz, "CACHE_ENTRIES_MAX", 3)
    for number in range(10):
        token = tokens.issue(tokens.actor("desk", f"subject {number}", known_id(1)), HOUR)
        assert tokens.read(token) is tokens.read(token)
        assert len(tokens._read) <= 3


def test_what_was_refused_is_not_remembered(tokens: Tokens) -> None:
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            tokens.read("not a token")
    assert tokens._read == {}


def test_an_actor_may_what_the_role_carries(tokens: Tokens) -> None:
    desk(tokens).require("book")
    with pytest.raises(Forbidden) as refused:
        tokens.actor("patient", "p", known_id(1)).require("book")
    assert refused.value.facts == {"permission": "book"}
    assert tokens.actor("nobody knows this role", "x", known_id(1)).permissions == frozenset()
