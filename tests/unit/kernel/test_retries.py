"""The budget of our own clients for asking again."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.contracts.flow import Flow
from carewright.kernel.authz import Actor, Tokens
from carewright.kernel.clock import SystemClock
from carewright.kernel.errors import OutcomeUnknown, Overloaded, Unavailable
from carewright.kernel.http import problems
from carewright.kernel.priority import Priority, working_as
from carewright.kernel.retries import MOST, PER_SECOND, RATIO, RetryBudget
from carewright.roles import remote
from carewright.roles.remote import Remote
from tests.samples import known_id


class Clock:
    """Stands until the test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.tuples(st.sampled_from(["asked", "failed"]), st.floats(0, 0.5)), max_size=500))
def test_no_more_is_repeated_than_a_tenth_and_what_was_saved(steps: list[tuple[str, float]]) -> None:
    clock = Clock()
    budget, asked, repeated = RetryBudget("test", clock), 0, 0
    for what, passed in steps:
        clock.now += passed
        if what == "asked":
            asked += 1
            budget.asked()
        else:
            repeated += budget.may_repeat()
    assert repeated <= MOST + RATIO * asked + PER_SECOND * (clock.now - 100.0) + 1e-6


def test_where_everything_fails_one_in_ten_is_repeated() -> None:
    clock = Clock()
    budget, repeated = RetryBudget("test", clock), 0
    for _ in range(10_000):
        budget.asked()
        repeated += budget.may_repeat()
    assert repeated == pytest.approx(1000 + MOST, abs=1)


def test_who_asks_seldom_may_ask_again() -> None:
    clock = Clock()
    budget = RetryBudget("test", clock)
    while budget.may_repeat():
        pass
    clock.now += 1 / PER_SECOND
    assert budget.may_repeat()
    assert not budget.may_repeat()


class Peer(httpx.AsyncBaseTransport):
    """Another process of ours: what each request meets, in order, and then 404; and what was asked."""

    def __init__(self, *faults: Exception | httpx.Response) -> None:
        self._faults = list(faults)
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        met = self._faults.pop(0) if self._faults else httpx.Response(404, content=b"{}")
        if isinstance(met, Exception):
            raise met
        return met


async def ask(peer: Peer, times: int = 1) -> list[Exception]:
    tokens = Tokens(b"0" * 32, SystemClock(), {"desk": frozenset()})
    actor: Actor = tokens.actor("desk", "somebody", known_id(1))
    met: list[Exception] = []
    async with httpx.AsyncClient(transport=peer) as client:
        flow = Remote(Flow, "http://peer", client, tokens)
        for _ in range(times):
            try:
                await flow.get_encounter(actor, known_id(2))
            except Exception as fault:  # noqa: BLE001  # what it is is the question
                met.append(fault)
    return met


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "AGAIN_SECONDS", (0.0, 0.0))


async def test_a_peer_that_took_no_connection_is_asked_once_more() -> None:
    peer = Peer(httpx.ConnectError("refused"))
    (met,) = await ask(peer)
    assert (len(peer.asked), isinstance(met, Unavailable)) == (2, False)


async def test_a_peer_that_stays_away_is_not_asked_twice_as_often() -> None:
    peer = Peer(*(httpx.ConnectError("refused") for _ in range(1000)))
    met = await ask(peer, times=200)
    assert {type(each) for each in met} == {Unavailable}
    assert len(peer.asked) <= 200 * (1 + RATIO) + MOST + 60


async def test_what_may_have_been_done_is_not_sent_again() -> None:
    peer = Peer(httpx.ReadError("broke"))
    (met,) = await ask(peer)
    assert (len(peer.asked), type(met)) == (1, OutcomeUnknown)


async def test_a_peer_that_is_overloaded_is_not_asked_again_and_says_when_to_come() -> None:
    refusal = Overloaded(retry_after_seconds=7)
    peer = Peer(httpx.Response(503, content=bytes(problems.response(refusal).body)))
    (met,) = await ask(peer)
    assert len(peer.asked) == 1
    assert isinstance(met, Overloaded)
    assert problems.headers_for(met)["Retry-After"] == "7"


async def test_a_peer_is_told_how_urgent_it_is() -> None:
    peer = Peer()
    with working_as(Priority.EMERGENCY):
        await ask(peer)
    await ask(peer)
    assert [request.headers.get("carewright-priority") for request in peer.asked] == ["P0", None]
