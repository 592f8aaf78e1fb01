"""The order in which queues call, held against formulas: the waits of a queue that calls by `order.in_order`, event by event.

Nothing of `waiting.simulation` is used. Whoever is called is found as a call finds them (`store/queue.py: lock_next`): the first of each
level, put in order by the queue's policy at that moment.

A mean of simulated waits is itself known to some percent only. So each is corrected by how far what is known of the same people was
otherwise: how long they waited where they are called in the order in which they came (Erlang C), how often they came, and how long
they were served. This is the method of control variates (Asmussen and Glynn, Stochastic Simulation, 2007, V.2). What is left of
chance is estimated from batches, and must be small beside the 2 % that are asked for, or the test says so instead of passing.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID

import numpy as np
import pytest

from carewright.contracts.queue import QueueOrder, QueuePolicy
from carewright.flow.model.order import LEVELS, in_order
from carewright.flow.model.waiting.theory import mmc_ageing_waits, mmc_priority_waits, mmc_wait

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BATCHES, OF_A_BATCH = 50, 10_000
PEOPLE = BATCHES * OF_A_BATCH
WITHIN = 0.02
SERVICE_MINUTES = 10.0
FIFO = QueuePolicy(order="head-start", head_start_minutes=(0, 0, 0, 0))


class People:
    """Who comes, at a load of so many servers: minutes of arrival, levels and minutes of service, by chance."""

    def __init__(self, servers: int, load: float, shares: Sequence[float], seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.servers, self.load, self.shares = servers, load, shares
        self.came = np.cumsum(rng.exponential(SERVICE_MINUTES / (load * servers), PEOPLE)).tolist()
        self.levels = (rng.choice(LEVELS, PEOPLE, p=shares) + 1).tolist()
        self.served = rng.exponential(SERVICE_MINUTES, PEOPLE).tolist()

    @property
    def rates(self) -> list[float]:
        """How many of each level that anybody comes of arrive in a minute."""
        return [share * self.load * self.servers / SERVICE_MINUTES for share in self.shares if share]

    @property
    def known_fifo(self) -> float:
        return mmc_wait(sum(self.rates), 1 / SERVICE_MINUTES, self.servers)


def waits_of(people: People, policy: QueuePolicy) -> np.ndarray:
    """How long each waits, in minutes, called by the rule of the queue."""
    moments = [BEGIN + timedelta(minutes=minute) for minute in people.came]
    lines: list[deque[int]] = [deque() for _ in range(LEVELS)]
    free_at = [0.0] * people.servers
    waits = np.zeros(PEOPLE)
    coming = waiting = 0
    while coming < PEOPLE or waiting:
        minute = free_at[0] if waiting else max(free_at[0], people.came[coming])
        while coming < PEOPLE and people.came[coming] <= minute:
            lines[people.levels[coming] - 1].append(coming)
            coming, waiting = coming + 1, waiting + 1
        now = BEGIN + timedelta(minutes=minute)
        heads = [(level, moments[line[0]], UUID(int=line[0])) for level, line in enumerate(lines, start=1) if line]
        called = in_order(policy, heads, now)[0].int if len(heads) > 1 else heads[0][2].int
        lines[people.levels[called] - 1].popleft()
        waiting -= 1
        waits[called] = minute - people.came[called]
        heapq.heapreplace(free_at, minute + people.served[called])
    return waits


@cache
def world(servers: int, load: float, shares: Sequence[float]) -> tuple[People, np.ndarray]:
    """Who comes, and how long each waits where they are called in the order in which they came."""
    people = People(servers, load, shares, 20261127)
    return people, waits_of(people, FIFO)


def mean_wait(people: People, waits: np.ndarray, counted: np.ndarray, control: np.ndarray) -> tuple[float, float]:
    """The mean wait of those who are counted, corrected by what is known of the same batches; and its standard error."""
    batches = np.arange(PEOPLE) // OF_A_BATCH
    means = np.bincount(batches, waits * counted) / np.bincount(batches, counted)
    between = np.diff(people.came, prepend=0.0)
    controls = np.array([each.reshape(BATCHES, OF_A_BATCH).mean(axis=1) for each in (control, between, np.array(people.served))]).T
    known = np.array([people.known_fifo, 1 / sum(people.rates), SERVICE_MINUTES])
    design = np.column_stack([np.ones(BATCHES), controls - known])
    fitted, *_ = np.linalg.lstsq(design, means, rcond=None)
    left = (means - design @ fitted).std(ddof=design.shape[1])
    return float(fitted[0]), float(left * np.sqrt(np.linalg.inv(design.T @ design)[0, 0]))


def ensure_matches(people: People, control: np.ndarray, waits: np.ndarray, expected: Sequence[float]) -> None:
    """Every level waits as long as the formula says, within 2 %, where three standard errors are less than that."""
    levels = np.array(people.levels)
    there = [level for level in range(1, LEVELS + 1) if people.shares[level - 1]]
    for level, known in zip(there, expected, strict=True):
        found, error = mean_wait(people, waits, levels == level, control)
        assert 3 * error < WITHIN * known, f"level {level} is not known well enough: {error / known:.4f}"
        assert found == pytest.approx(known, rel=WITHIN), f"level {level}, give or take {error / known:.4f}"


LOADS = [(1, 0.7), (2, 0.8), (4, 0.8)]
TWO, FOUR = (0.4, 0.0, 0.0, 0.6, 0.0), (0.3, 0.3, 0.2, 0.2, 0.0)


@pytest.mark.parametrize(
    ("servers", "load", "order"), [(1, 0.7, "head-start"), (2, 0.8, "head-start"), (2, 0.8, "accumulating"), (4, 0.8, "accumulating")]
)
def test_emergencies_come_first_as_cobham_has_it_by_either_order(servers: int, load: float, order: QueueOrder) -> None:
    """Level 1 before one other, nobody interrupted: W_k = (C/(cμ)) / ((1 - σ_{k-1})(1 - σ_k)) (Cobham 1954)."""
    people, control = world(servers, load, TWO)
    ensure_matches(
        people, control, waits_of(people, QueuePolicy(order=order)), mmc_priority_waits(people.rates, 1 / SERVICE_MINUTES, servers)
    )


@pytest.mark.parametrize(("servers", "load"), LOADS)
def test_levels_that_age_wait_as_kleinrock_has_it(servers: int, load: float) -> None:
    """Level 1 as good as infinitely faster than the others (Kleinrock 1964)."""
    people, control = world(servers, load, FOUR)
    policy = QueuePolicy(order="accumulating", rates=(8.0, 3.0, 1.0, 1.0))
    expected = mmc_ageing_waits(people.rates, 1 / SERVICE_MINUTES, servers, [1e12, 8.0, 3.0, 1.0])
    ensure_matches(people, control, waits_of(people, policy), expected)


def test_levels_that_age_ever_faster_are_cobhams_classes() -> None:
    """Three levels, each as good as strictly before the next."""
    servers = 2
    people, control = world(servers, 0.7, (0.3, 0.4, 0.0, 0.3, 0.0))
    policy = QueuePolicy(order="accumulating", rates=(1_000.0, 1.0, 0.001, 0.001))
    ensure_matches(people, control, waits_of(people, policy), mmc_priority_waits(people.rates, 1 / SERVICE_MINUTES, servers))


@pytest.mark.parametrize("order", ["head-start", "accumulating"])
def test_levels_that_are_worth_the_same_wait_as_mmc_has_it(order: QueueOrder) -> None:
    """Erlang C: whoever is called for is the next, whatever their level, and the mean is that of M/M/c."""
    people, control = world(2, 0.8, (0.0, 0.2, 0.3, 0.4, 0.1))
    equal = QueuePolicy(order=order, head_start_minutes=(7, 7, 7, 7), rates=(3.0, 3.0, 3.0, 3.0))
    assert (waits_of(people, equal) == control).all()
    raw = control.reshape(BATCHES, OF_A_BATCH).mean(axis=1)
    assert abs(raw.mean() - people.known_fifo) < 3 * raw.std(ddof=1) / BATCHES**0.5


@pytest.mark.parametrize("head_starts", [(120, 45, 15, 0), (30, 30, 0, 0)])
def test_a_head_start_moves_waiting_and_takes_none_away(head_starts: tuple[int, int, int, int]) -> None:
    """No formula has the waits by head start; Kleinrock's law of conservation (1965) has their sum, weighed by load: that of Erlang C."""
    people, control = world(2, 0.8, FOUR)
    waits = waits_of(people, QueuePolicy(order="head-start", head_start_minutes=head_starts))
    found, error = mean_wait(people, waits, np.ones(PEOPLE, bool), control)
    assert 3 * error < WITHIN * people.known_fifo
    assert found == pytest.approx(people.known_fifo, rel=WITHIN)
    by_level = [waits[np.array(people.levels) == level].mean() for level in (1, 2, 3, 4)]
    assert by_level[0] < by_level[1] < by_level[3]
