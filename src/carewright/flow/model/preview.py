"""What another policy would make of those who wait now, and what of it is odd enough to be said before it is in force. Pure rules."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

from carewright.contracts.queue import PlacedTurn, QueueEntry, QueuePolicy
from carewright.contracts.relief import ReliefRule
from carewright.flow.model.elsewhere import is_callable
from carewright.flow.model.order import in_order

HARDLY_ANYBODY = 0.9
EMPTY_WAITING, EMPTY_MINUTES = 2, 5
LEVELS = range(2, 6)


def placed(waiting: Sequence[QueueEntry], policy: QueuePolicy, now: datetime) -> tuple[PlacedTurn, ...]:
    """Those who wait, given in today's order, by the place that they would have."""
    was = {each.id: place for place, each in enumerate(waiting, start=1)}
    by_id = {each.id: each for each in waiting}
    then = in_order(policy, ((each.level, each.ranked_from, each.id) for each in waiting), now)
    return tuple(
        PlacedTurn(
            entry_id=each,
            ticket=by_id[each].ticket,
            level=by_id[each].level,
            was=was[each],
            place=place,
            is_elsewhere=not is_callable(by_id[each], now),
        )
        for place, each in enumerate(then, start=1)
    )


def remarks(policy: QueuePolicy) -> tuple[str, ...]:
    """What somebody who sets this may not have meant, in plain words. Nothing of it is refused: a queue bears it."""
    return (*_of_order(policy), *_of_staff(policy), *_of_booked(policy), *(text for rule in policy.relief for text in _of_relief(rule)))


def _of_order(policy: QueuePolicy) -> Iterable[str]:
    worth: Sequence[float] = policy.head_start_minutes if policy.order == "head-start" else policy.rates
    what = "has a longer head start" if policy.order == "head-start" else "gathers priority faster"
    for (level, urgent), (other, less) in pairwise(zip(LEVELS, worth, strict=True)):
        if less > urgent:
            yield f"Level {other} {what} than level {level}: the less urgent go first."
    if policy.order == "head-start" and max(worth) - min(worth) >= 24 * 60:
        yield "The longest head start is a day: who has it is called before everybody else who came today."


def _of_staff(policy: QueuePolicy) -> Iterable[str]:
    if policy.kept_for_emergencies and policy.staff is None:
        yield "Nobody is kept for emergencies unless you say how many of you serve."
    elif policy.staff is not None and policy.kept_for_emergencies >= policy.staff:
        yield "Everybody who serves is kept for emergencies: nobody else is ever called as the next patient."


def _of_booked(policy: QueuePolicy) -> Iterable[str]:
    if policy.no_show_share >= HARDLY_ANYBODY:
        yield "Waits are told as if hardly anybody who is booked came."
    if policy.booked_may_wait_minutes is not None and policy.walk_in_may_wait_minutes == 0:
        yield "A walk-in has waited long enough at once, so that nobody's time is kept for who is booked."


def _of_relief(rule: ReliefRule) -> Iterable[str]:
    if rule.what != "pause-walk-ins":
        return
    if rule.from_waiting is not None and rule.from_waiting <= EMPTY_WAITING:
        yield f"Routine walk-ins are turned away as soon as {rule.from_waiting} wait."
    if rule.from_minutes is not None and rule.from_minutes <= EMPTY_MINUTES:
        yield f"Routine walk-ins are turned away as soon as the wait is {rule.from_minutes} minutes."
