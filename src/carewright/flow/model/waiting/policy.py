"""A queue's policy as the simulation has it, and back: what is simulated is the order in which the queue does call.

The tuner's tiers 0 to 4 are the levels 1 to 5. `Waiting.waited_minutes` counts from `ranked_from`, which has what is given to those who are
booked; those who are still to come to an appointment have tiers of their own, which have it as a head start.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from carewright.contracts.queue import QueueOrder, QueuePolicy
from carewright.flow.model.order import FIRST_LEVEL, head_start_seconds, rate
from carewright.flow.model.waiting.simulation import Order, accumulating, head_start
from carewright.flow.model.waiting.tuner import Tuned

LEVELS = range(FIRST_LEVEL, 6)
FIRST = frozenset({0})
SECONDS_PER_MINUTE = 60.0


def order_of_policy(policy: QueuePolicy) -> Order:
    """How a queue with this policy calls."""
    if policy.order == "head-start":
        return head_start([head_start_seconds(policy, level) / SECONDS_PER_MINUTE for level in LEVELS], FIRST)
    return accumulating([rate(policy, level) for level in LEVELS], FIRST)


def order_of_tiers(policy: QueuePolicy, tiers: Sequence[tuple[int, bool]]) -> Order:
    """The same for tiers given as (level, whether they are still to come to an appointment)."""
    levels = order_of_policy(policy)
    places = [level - FIRST_LEVEL for level, _ in tiers]
    booked = np.array([policy.booked_head_start_minutes if is_booked else 0.0 for _, is_booked in tiers])
    first = frozenset(number for number, place in enumerate(places) if place in FIRST)
    return Order(ageing=levels.ageing[places], head_starts=levels.head_starts[places] + booked, first=first)


def tuned_policy(policy: QueuePolicy, tuned: Tuned) -> QueuePolicy:
    """The policy with the order that was found for its five levels."""
    return with_order(policy, "accumulating" if tuned.rule == "accumulating" else "head-start", tuned.values[1:])


def with_order(policy: QueuePolicy, order: QueueOrder, values: tuple[float, ...]) -> QueuePolicy:
    """The policy with this order, and its values for levels 2 to 5."""
    if order == "accumulating":
        return msgspec.structs.replace(policy, order=order, rates=values)
    return msgspec.structs.replace(policy, order=order, head_start_minutes=tuple(map(round, values)))
