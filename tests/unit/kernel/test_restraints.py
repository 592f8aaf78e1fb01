"""What an incident holds back: tokens, clients, hosts. Each alone, and nobody else's."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from carewright.kernel.authz import SESSION_PREFIX, Actor, Bearers, Quarantined, Tokens
from carewright.kernel.clock import ManualClock
from carewright.kernel.errors import Unauthenticated
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.restraints import Kind, PeerQuarantined, Restraint, Restraints
from tests.samples import known_id

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = b"0123456789abcdef0123456789abcdef"
LAB = Actor(subject="lab", organization_id=known_id(1), role="desk")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def restraints() -> Restraints:
    return Restraints()


@pytest.fixture
def tokens(clock: ManualClock, restraints: Restraints) -> Tokens:
    return Tokens(KEY, clock, {"desk": frozenset({"read"})}, restraints=restraints)


def held(kind: Kind, name: str = "lab", organization: int = 1) -> Restraint:
    return Restraint(organization_id=known_id(organization), id=known_id(5), kind=kind, name=name, since=NOON)


def test_tokens_signed_before_are_refused_and_later_ones_count(tokens: Tokens, restraints: Restraints, clock: ManualClock) -> None:
    clock.instant = NOON - timedelta(seconds=1)
    before = tokens.issue(LAB, HOUR)
    assert tokens.read(before).subject == "lab"
    restraints.take([held("tokens")])
    with pytest.raises(Unauthenticated):
        tokens.read(before)
    clock.instant = NOON
    assert tokens.read(tokens.issue(LAB, HOUR)).subject == "lab"


def test_of_several_moments_the_last_counts(restraints: Restraints) -> None:
    earlier = Restraint(organization_id=known_id(1), id=known_id(6), kind="tokens", name="lab", since=NOON - HOUR)
    restraints.take([held("tokens"), earlier])
    assert not restraints.takes_token(known_id(1), "lab", NOON.timestamp() - 1)


@pytest.mark.parametrize(("name", "organization"), [("another", 1), ("lab", 2)])
def test_nobody_else_is_held_back(tokens: Tokens, restraints: Restraints, name: str, organization: int) -> None:
    restraints.take([held("tokens", name, organization), held("client", name, organization), held("peer", "lab.example.org")])
    assert tokens.read(tokens.issue(LAB, HOUR)).subject == "lab"


def test_a_quarantined_client_is_refused_until_it_is_released(tokens: Tokens, restraints: Restraints) -> None:
    token = tokens.issue(LAB, HOUR)
    restraints.take([held("client")])
    with pytest.raises(Quarantined) as refused:
        tokens.read(token)
    assert refused.value.actor is not None
    assert refused.value.actor.subject == "lab"
    restraints.take([])
    assert tokens.read(token).subject == "lab"


async def test_a_session_of_a_quarantined_client_is_refused_though_it_is_remembered(
    tokens: Tokens, restraints: Restraints, clock: ManualClock
) -> None:
    async def owner(_: str) -> Actor:
        return LAB

    clock.monotonic_seconds = lambda: 0.0  # type: ignore[method-assign]  # the session stays remembered
    bearers, token = Bearers(tokens, clock, owner), f"{SESSION_PREFIX}x"
    assert await bearers.actor_of(token) == LAB
    restraints.take([held("client")])
    with pytest.raises(Quarantined):
        await bearers.actor_of(token)


@pytest.mark.parametrize("url", ["https://lab.example.org/x", "https://LAB.example.org/x"])
async def test_nothing_goes_out_to_a_quarantined_host(restraints: Restraints, url: str) -> None:
    async def lookup(_: str, __: int) -> Sequence[str]:
        return ["93.184.215.14"]

    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["host"])
        return httpx.Response(200)

    outgoing = Outgoing(lookup=lookup, inner=httpx.MockTransport(answer), restraints=restraints)
    assert (await outgoing.fetch("GET", "https://lab.example.org/x")).status_code == httpx.codes.OK
    restraints.take([held("peer", "Lab.example.org")])
    with pytest.raises(PeerQuarantined):
        await outgoing.fetch("GET", url)
    assert (await outgoing.fetch("GET", "https://other.example.org/")).status_code == httpx.codes.OK
    assert sent == ["lab.example.org", "other.example.org"]
    await outgoing.close()
