"""What is simulated is what is called: the order of a policy, held against the rule by which turns are called."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.contracts.queue import QueuePolicy
from carewright.flow.model.order import in_order
from carewright.flow.model.waiting.demand import crowd_of
from carewright.flow.model.waiting.policy import order_of_policy
from carewright.flow.model.waiting.simulation import Staff, replay

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
MOMENT = 1e-6
"""Minutes that a service takes here: the order at one instant is asked for."""
MINUTES = st.integers(0, 240)


@pytest.mark.parametrize("rule", ["head-start", "accumulating"])
@given(
    waiting=st.lists(st.tuples(st.integers(1, 5), st.integers(60, 30_000)), max_size=25, unique_by=lambda each: each[1]),
    head_starts=st.tuples(MINUTES, MINUTES, MINUTES, MINUTES),
    rates=st.tuples(*[st.floats(0.01, 1_000)] * 4),
)
def test_people_are_served_in_the_order_in_which_they_would_be_called(
    rule: Literal["head-start", "accumulating"],
    waiting: list[tuple[int, int]],
    head_starts: tuple[int, int, int, int],
    rates: tuple[float, float, float, float],
) -> None:
    policy = QueuePolicy(order=rule, head_start_minutes=head_starts, rates=rates)
    seconds = [ago + number / 1_000 for number, (_, ago) in enumerate(waiting)]
    turns = [
        (level, NOON - timedelta(seconds=ago), UUID(int=number))
        for number, ((level, _), ago) in enumerate(zip(waiting, seconds, strict=True))
    ]
    called = [each.int for each in in_order(policy, turns, NOON)]
    assert served(policy, [level - 1 for level, _ in waiting], seconds) == called


def served(policy: QueuePolicy, tiers: list[int], seconds: list[float]) -> list[int]:
    """Who is served first, second and so on, by one server, by their numbers."""
    order = order_of_policy(policy)
    lines = [
        sorted((number for number, each in enumerate(tiers) if each == tier), key=lambda number: -seconds[number])
        for tier in range(len(order.ageing))
    ]
    crowd = crowd_of([(np.array([[-seconds[each] / 60 for each in line]]), np.full((1, len(line)), MOMENT)) for line in lines])
    starts = replay(crowd, order, Staff(steps=((0, 1),)))
    began = {number: starts[0, crowd.tier(tier)][place] for tier, line in enumerate(lines) for place, number in enumerate(line)}
    return sorted(began, key=lambda number: began[number])
