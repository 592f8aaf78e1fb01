"""Token buckets: what a process gives out by itself, and what it hears from the others."""

import asyncio
from collections.abc import Sequence

import pytest

from carewright.kernel import limits as limits_module
from carewright.kernel.limits import Limits, Rate, Take, whole_seconds

RATE = Rate(per_second=2.0, most=4.0)


class Clock:
    """Stands until the test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> Limits:
    return Limits(clock)


def given_out(limits: Limits, key: str, asked: int) -> int:
    return sum(limits.take(key, RATE) == 0.0 for _ in range(asked))


def test_a_bucket_gives_what_it_holds_and_then_says_how_long_to_wait(limits: Limits) -> None:
    assert given_out(limits, "anna", 4) == 4
    assert limits.take("anna", RATE) == pytest.approx(0.5)


def test_a_bucket_fills_up_again_and_never_beyond_its_rim(limits: Limits, clock: Clock) -> None:
    given_out(limits, "anna", 4)
    clock.now += 1
    assert given_out(limits, "anna", 10) == 2
    clock.now += 3600
    assert given_out(limits, "anna", 10) == 4


def test_whoever_is_refused_pays_nothing(limits: Limits, clock: Clock) -> None:
    given_out(limits, "anna", 100)
    clock.now += 0.5
    assert limits.take("anna", RATE) == 0.0


def test_each_has_a_bucket_of_their_own(limits: Limits) -> None:
    assert given_out(limits, "anna", 9) == given_out(limits, "ben", 9) == 4


def test_the_number_of_buckets_is_limited_and_the_empty_ones_stay(limits: Limits, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_module, "BUCKETS_MAX", 10)
    for number in range(8):
        limits.take(f"quiet {number}", RATE)
    clock.now += 1
    given_out(limits, "greedy", 9)
    for number in range(8):
        limits.take(f"later {number}", RATE)
    assert "quiet 0" not in limits._buckets, "it would be full again"
    assert len(limits._buckets) <= 10
    assert limits.take("greedy", RATE) > 0


@pytest.mark.parametrize(("wait", "seconds"), [(0.01, 1), (1.0, 1), (1.2, 2), (59.01, 60)])
def test_a_wait_is_told_in_whole_seconds(wait: float, seconds: int) -> None:
    assert whole_seconds(wait) == seconds


class Elsewhere:
    """The shared buckets, as another process would have left them."""

    def __init__(self, left: float) -> None:
        self.left = left
        self.heard: list[Take] = []

    async def __call__(self, takes: Sequence[Take]) -> list[float]:
        self.heard += takes
        return [self.left - take.tokens for take in takes]


async def shared(limits: Limits, elsewhere: Elsewhere) -> "asyncio.Task[None]":
    task = asyncio.create_task(limits.share(elsewhere))
    await asyncio.sleep(0)
    return task


async def heard(elsewhere: Elsewhere) -> None:
    async with asyncio.timeout(5):
        while not elsewhere.heard:  # noqa: ASYNC110  (the double sets no event)
            await asyncio.sleep(0.01)


async def test_what_others_took_is_missing_here(limits: Limits) -> None:
    elsewhere = Elsewhere(left=2.0)
    task = await shared(limits, elsewhere)
    assert limits.take("anna", RATE) == 0.0
    await heard(elsewhere)
    assert elsewhere.heard == [Take("anna", RATE, 1, if_there=False)]
    assert given_out(limits, "anna", 9) == 1
    task.cancel()


async def test_where_it_matters_the_others_are_asked_first(limits: Limits) -> None:
    elsewhere = Elsewhere(left=0.0)
    task = await shared(limits, elsewhere)
    assert await limits.take_shared("anna", RATE) == pytest.approx(0.5)
    elsewhere.left = 1.0
    assert await limits.take_shared("anna", RATE) == 0.0
    task.cancel()


async def test_a_process_that_hears_nothing_counts_by_itself_and_says_so(limits: Limits) -> None:
    async def silent(_: Sequence[Take]) -> list[float]:
        raise ConnectionError

    task = asyncio.create_task(limits.share(silent))
    await asyncio.sleep(0)
    assert limits_module.SHARED._value.get() == 1
    assert await limits.take_shared("anna", RATE) == 0.0, "nobody answers: this process decides"
    assert limits.take("anna", RATE) == 0.0
    with pytest.raises(ConnectionError):
        await task
    assert limits_module.SHARED._value.get() == 0
    assert given_out(limits, "anna", 9) == 2
