"""Tokens and actors: what a valid token gives, and that nothing else gives anything."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import msgspec
import pytest

from carewright.kernel import authz
from carewright.kernel.authz import Actor, Bearers, Tokens
from carewright.kernel.clock import ManualClock
from carewright.kernel.errors import Forbidden, Unauthenticated
from carewright.kernel.token_keys import TokenKeys
from tests.samples import known_id

KEY = b"0123456789abcdef0123456789abcdef"
NOON = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp())
ROLES = {"desk": frozenset({"book", "read"}), "patient": frozenset({"read"})}
HOUR = timedelta(hours=1)
NONE: Mapping[str, object] = MappingProxyType({})
HEADER: dict[str, object] = {"alg": "HS256", "kid": TokenKeys.of(KEY).keys[0].id, "typ": "JWT"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, 12, tzinfo=UTC))


@pytest.fixture
def tokens(clock: ManualClock) -> Tokens:
    return Tokens(KEY, clock, ROLES)


def desk(tokens: Tokens) -> Actor:
    return tokens.actor("desk", "anna", known_id(1))


def forged(
    clock: ManualClock, changed: Mapping[str, object] = NONE, key: bytes = KEY, header: Mapping[str, object] = NONE
) -> str:  # fmt: skip
    """A token with our claims and header but for what is changed; None leaves a claim out."""
    now = int(clock.now().timestamp())
    claims: dict[str, object] = {
        "iss": authz.ISSUER, "aud": authz.AUDIENCE, "sub": "anna", "org": str(known_id(1)), "role": "desk", "iat": now, "exp": now + 3600,
        "jti": "1f",
    }  # fmt: skip
    kept = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    signed = f"{part(HEADER | dict(header))}.{part(kept)}"
    signature = hmac.digest(key, signed.encode(), "sha256")
    return f"{signed}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def part(value: object) -> str:
    return urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()


def test_a_token_gives_back_who_it_was_issued_for(tokens: Tokens) -> None:
    ids = {"patient_id": known_id(2), "practitioner_id": known_id(5), "site_ids": frozenset({known_id(3), known_id(4)})}
    actor = msgspec.structs.replace(desk(tokens), **ids)
    assert tokens.read(tokens.issue(actor, HOUR)) == actor


def test_a_token_that_was_signed_a_moment_ago_is_no_proof_of_anybody(tokens: Tokens) -> None:
    assert tokens.read(tokens.issue(desk(tokens), HOUR)).authenticated_at is None


def test_a_token_carries_its_session_and_the_last_proof(tokens: Tokens, clock: ManualClock) -> None:
    earlier = clock.now() - HOUR
    actor = msgspec.structs.replace(desk(tokens), session_id=known_id(9), authenticated_at=earlier, address="2001:db8::7")
    assert tokens.read(tokens.issue(actor, HOUR)) == actor


def test_a_broken_glass_travels_with_the_token(clock: ManualClock) -> None:
    wide = Tokens(KEY, clock, ROLES, frozenset({"see everything"}))
    actor = wide.actor("desk", "anna", known_id(1), purpose=authz.BREAKING_GLASS)
    assert actor.permissions == ROLES["desk"] | {"see everything"}
    assert wide.read(wide.issue(actor, HOUR)).permissions == actor.permissions
    assert wide.read(wide.issue(desk(wide), HOUR)).permissions == ROLES["desk"]


def test_what_scopes_took_away_stays_away_in_every_process(tokens: Tokens) -> None:
    narrowed = msgspec.structs.replace(desk(tokens), permissions=frozenset({"read"}))
    assert ROLES["desk"] > narrowed.permissions
    assert tokens.read(tokens.issue(narrowed, HOUR)) == narrowed
    nothing = msgspec.structs.replace(desk(tokens), permissions=frozenset())
    assert tokens.read(tokens.issue(nothing, HOUR)).permissions == frozenset()
    wider = msgspec.structs.replace(narrowed, permissions=frozenset({"read", "rule the world"}))
    assert tokens.read(tokens.issue(wider, HOUR)).permissions == {"read"}


def test_no_token_lives_longer_than_a_day(tokens: Tokens, clock: ManualClock) -> None:
    token = tokens.issue(desk(tokens), timedelta(days=30))
    clock.advance(hours=24)
    with pytest.raises(Unauthenticated):
        tokens.read(token)


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
     {"exp": "soon"}, {"sub": 5}, {"sites": "all"}, {"aud": "somebody"}, {"aud": None}, {"aud": ["carewright"]}, {"jti": None},
     {"jti": ""}, {"jti": 7}, {"admin": True}, {"iat": None}, {"iat": NOON + 3000}, {"exp": NOON}, {"exp": NOON - 1},
     {"exp": NOON + 25 * 3600}, {"exp": 2**70}, {"auth_time": 2**70}, {"sid": "all"}, {"patient": "me"}],
    ids=str,
)  # fmt: skip
def test_claims_that_are_not_as_we_write_them_are_refused(tokens: Tokens, clock: ManualClock, changed: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        tokens.read(forged(clock, changed))


@pytest.mark.parametrize(
    "header",
    [{"kid": "another"}, {"kid": ""}, {"kid": 5}, {"typ": "at+jwt"}, {"jku": "https://example.org/keys"}, {"crit": ["exp"], "exp": 1},
     {"jwk": {"kty": "oct", "k": "AAAA"}}, {"x5u": "https://example.org"}, {"cty": "JWT"}],
    ids=str,
)  # fmt: skip
def test_a_header_with_anything_of_its_own_is_refused(tokens: Tokens, clock: ManualClock, header: dict[str, object]) -> None:
    assert tokens.read(forged(clock)).subject == "anna"
    with pytest.raises(Unauthenticated):
        tokens.read(forged(clock, header=header))


def test_a_header_without_a_key_id_is_refused(tokens: Tokens, clock: ManualClock) -> None:
    _, claims, signature = forged(clock).split(".")
    with pytest.raises(Unauthenticated):
        tokens.read(f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{claims}.{signature}")


def test_a_token_cut_short_anywhere_is_refused(tokens: Tokens, clock: ManualClock) -> None:
    token = forged(clock)
    for length in range(len(token)):
        with pytest.raises(Unauthenticated):
            tokens.read(token[:length])


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


class Sessions:
    """Keeps one session, and counts who asks."""

    def __init__(self, actor: Actor) -> None:
        self.actor: Actor | None = actor
        self.asked = 0

    async def ask(self, _: str) -> Actor | None:
        self.asked += 1
        return self.actor


async def test_a_session_is_asked_about_and_remembered_for_less_than_two_seconds(tokens: Tokens, clock: ManualClock) -> None:
    sessions = Sessions(desk(tokens))
    bearers = Bearers(tokens, clock, sessions.ask)
    for _ in range(3):
        assert await bearers.actor_of("cws_1") == desk(tokens)
    assert sessions.asked == 1
    sessions.actor = None
    clock.advance(seconds=authz.SESSION_CACHE_SECONDS)
    assert authz.SESSION_CACHE_SECONDS < 2
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await bearers.actor_of("cws_1")
    assert sessions.asked == 3, "who was refused is asked about each time"


async def test_a_token_for_one_standards_addresses_is_good_nowhere_else(tokens: Tokens, clock: ManualClock) -> None:
    for scopes in (("patient/Appointment.rs",), ()):
        scoped = msgspec.structs.replace(desk(tokens), scopes=scopes)
        bearers = Bearers(tokens, clock, Sessions(scoped).ask)
        assert await bearers.actor_of("cws_1", scoped=True) == scoped
        with pytest.raises(Unauthenticated):
            await bearers.actor_of("cws_1")


async def test_a_signed_token_stands_for_itself(tokens: Tokens, clock: ManualClock) -> None:
    bearers = Bearers(tokens, clock)
    assert (await bearers.actor_of(tokens.issue(desk(tokens), HOUR))).subject == "anna"
    with pytest.raises(Unauthenticated):
        await bearers.actor_of("cws_1")


async def test_the_memory_of_sessions_is_bounded(tokens: Tokens, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authz, "CACHE_ENTRIES_MAX", 3)
    bearers = Bearers(tokens, clock, Sessions(desk(tokens)).ask)
    for number in range(10):
        await bearers.actor_of(f"cws_{number}")
        assert len(bearers._known) <= 3
