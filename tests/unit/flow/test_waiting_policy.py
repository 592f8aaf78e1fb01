from carewright.contracts.queue import QueuePolicy
from carewright.flow.model.waiting.policy import order_of_policy, tuned_policy
from carewright.flow.model.waiting.tuner import Rule, Tuned

POLICY = QueuePolicy(head_start_minutes=(90, 30, 10, 0), rates=(50.0, 20.0, 4.0, 1.0))


def tuned(rule: Rule, *values: float) -> Tuned:
    return Tuned(rule=rule, values=values, shares=(), unmet=(), unreachable=())


def test_a_policy_of_head_starts_is_an_order() -> None:
    order = order_of_policy(POLICY)
    assert (order.ageing.tolist(), order.head_starts.tolist(), order.first) == ([1] * 5, [0, 90, 30, 10, 0], frozenset({0}))


def test_what_was_tuned_becomes_the_policy_and_its_order() -> None:
    policy = tuned_policy(POLICY, tuned("accumulating", 81.0, 81.0, 29.0, 3.3, 1.0))
    assert (policy.order, policy.rates, policy.head_start_minutes) == ("accumulating", (81.0, 29.0, 3.3, 1.0), POLICY.head_start_minutes)
    assert (order_of_policy(policy).ageing.tolist(), order_of_policy(policy).head_starts.tolist()) == ([1, 81, 29, 3.3, 1], [0] * 5)
    policy = tuned_policy(POLICY, tuned("head_start", 0.0, 120.0, 60.0, 20.0, 0.0))
    assert (policy.order, policy.head_start_minutes, policy.rates) == ("head-start", (120, 60, 20, 0), POLICY.rates)
