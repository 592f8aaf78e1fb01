"""What a tuning is asked and answers: a queue's usual day, simulated under orders of which one is the best. Pure rules.

A day is simulated twice in a row, and the second counts: whoever is left of a day waits on, and nobody begins with an empty queue at
midnight unless that is so. Everybody comes by chance at the rate of the hour, also who is booked; a service takes as long as it did,
whatever the level. Nobody gives up, and whoever still waits when the last goes home waits until somebody comes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import msgspec
import numpy as np

from carewright.contracts.flow import TooLittleHistory, TuningNotSound
from carewright.contracts.queue import QueueOrder, QueuePolicy
from carewright.contracts.tuning import (
    HOURS,
    LEVELS,
    DayKind,
    EnteredDemand,
    Found,
    LevelOutlook,
    LevelTarget,
    Ordering,
    Outlook,
    SeenDemand,
)
from carewright.flow.model.waiting.demand import Crowd, Stream, draw_crowd
from carewright.flow.model.waiting.distribution import Floats, lognormal, observed
from carewright.flow.model.waiting.policy import FIRST, order_of_policy, tuned_policy, with_order
from carewright.flow.model.waiting.simulation import Staff
from carewright.flow.model.waiting.tuner import EXTRA_MAX, POPULATION, Rule, Site, Target, extra_staff, tune, waits_under
from carewright.flow.model.waits import MINUTES_USUAL, VARIATION

DAYS_BACK = timedelta(days=56)
DAY_LEAST, PEOPLE_LEAST, SERVED_LEAST = 5, 200, 100
"""Of less, what was found would be chance: of 200 people a share of 0.9 is known to within 0.04 (two standard errors)."""
LOOKED_EVERY = timedelta(minutes=5)
PEOPLE_MAX = 3_000
"""Who come on a day."""
CELLS_MAX = 1_200_000
"""People times days times orders that are simulated at once: some 10 MB for each array, and there are about ten."""
DAYS_MAX, DAYS_REPORTED_MAX = 60, 300
SIMULATIONS, SIMULATIONS_EXTRA = 120, 36
DAY_MINUTES = 24 * 60.0
STEP_PERCENT, SEARCH_PERCENT, REPORT_PERCENT, DONE_PERCENT = 5, 50, 55, 99
RULES: dict[QueueOrder, Rule] = {"head-start": "head_start", "accumulating": "accumulating"}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A queue's day: arrivals by level and hour, services in minutes, staff by hour, of whom `kept` serve emergencies alone."""

    arrivals: tuple[tuple[float, ...], ...]
    services: tuple[float, ...]
    service_minutes: float
    service_variation: float
    staff: tuple[int, ...]
    targets: tuple[LevelTarget, ...]
    order: QueueOrder
    policy: QueuePolicy
    seed: int

    @property
    def people_a_day(self) -> float:
        return sum(map(sum, self.arrivals))


class Seen(NamedTuple):
    """What is known of a queue's days of a kind: who came by (level, hour), on how many days, from when until when people were seen."""

    days: DayKind
    day_count: int
    came: dict[tuple[int, int], int]
    spans: Sequence[tuple[datetime, datetime]]
    services: Sequence[float]
    service_minutes: float | None


def demand_of(seen: Seen) -> SeenDemand:
    """What is known, as people are told it."""
    people, by_hour = sum(seen.came.values()), _arrivals(seen)
    return SeenDemand(
        days=seen.days, day_count=seen.day_count, people=people, served=len(seen.services), is_enough=_is_enough(seen),
        day_least=DAY_LEAST, people_least=PEOPLE_LEAST, served_least=SERVED_LEAST, arrivals=tuple(map(sum, zip(*by_hour, strict=True))),
        level_shares=tuple(sum(hours) / max(1e-9, sum(map(sum, by_hour))) for hours in by_hour),
        staff=staff_seen(seen.spans, seen.day_count),
        service_minutes=float(np.mean(seen.services)) if seen.services else None,
    )  # fmt: skip


def question_of_seen(seen: Seen) -> tuple[tuple[tuple[float, ...], ...], tuple[float, ...], float, float]:
    """Arrivals and services as they were. Raises `TooLittleHistory`."""
    if not _is_enough(seen):
        raise TooLittleHistory(
            day_count=seen.day_count, people=sum(seen.came.values()), served=len(seen.services), day_least=DAY_LEAST,
            people_least=PEOPLE_LEAST, served_least=SERVED_LEAST,
        )  # fmt: skip
    return _arrivals(seen), tuple(seen.services), seen.service_minutes or MINUTES_USUAL, VARIATION


def question_of_entered(entered: EnteredDemand) -> tuple[tuple[tuple[float, ...], ...], tuple[float, ...], float, float]:
    """Arrivals and services as somebody entered them; shares that do not make a whole are taken in proportion."""
    whole = sum(entered.level_shares)
    if whole <= 0:
        raise TuningNotSound("Say how those who come fall into levels: all shares are 0.")
    arrivals = tuple(tuple(share / whole * hour for hour in entered.arrivals) for share in entered.level_shares)
    return arrivals, (), entered.service_minutes, entered.service_variation


def ensure_sound(question: Question) -> None:
    """Raise `TuningNotSound` for a day on which nobody comes, nobody serves, or so many come that it would take too long."""
    if not any(question.staff):
        raise TuningNotSound("Nobody is on duty at any hour. Enter the staff by hour.")
    if question.people_a_day <= 0:
        raise TuningNotSound("Nobody comes at any hour.")
    if question.people_a_day > PEOPLE_MAX:
        raise TuningNotSound(f"More than {PEOPLE_MAX} people a day are more than can be simulated.")


def staff_seen(spans: Iterable[tuple[datetime, datetime]], day_count: int) -> tuple[int, ...]:
    """How many were seen at once at the most in each hour of the day, on the average of the days; looked at every five minutes."""
    at_once: Counter[tuple[date, int, int]] = Counter()
    for start, end in spans:
        moment = _next_look(start)
        while moment < min(end, start + timedelta(days=1)):
            at_once[moment.date(), moment.hour, moment.minute] += 1
            moment += LOOKED_EVERY
    most: Counter[tuple[date, int]] = Counter()
    for (day, hour, _), count in at_once.items():
        most[day, hour] = max(most[day, hour], count)
    by_hour = [sum(count for (_, at), count in most.items() if at == hour) for hour in range(HOURS)]
    return tuple(int(each / max(1, day_count) + 0.5) for each in by_hour)


def ordering_of(policy: QueuePolicy) -> Ordering:
    """What of a policy a tuning changes."""
    return Ordering(order=policy.order, head_start_minutes=policy.head_start_minutes, rates=policy.rates)


def ordered(policy: QueuePolicy, found: Found) -> QueuePolicy:
    """The policy with the order that was found."""
    return with_order(policy, found.order, found.values)


def restored(policy: QueuePolicy, former: Ordering) -> QueuePolicy:
    """The policy with the order that it had before."""
    return msgspec.structs.replace(policy, **msgspec.structs.asdict(former))


def reckon(question: Question, say: Callable[[int], None]) -> Found:
    """Search for the best order, and say what it would do beside today's; takes seconds to minutes, and is for a process of its own."""
    rng, site, rule = np.random.default_rng(question.seed), site_of(question), RULES[question.order]
    people = 2 * question.people_a_day + 1
    days = _days(people * POPULATION, DAYS_MAX)
    steps = iter(range(STEP_PERCENT, SEARCH_PERCENT, STEP_PERCENT))
    tuned = tune(rng, site, rule, days, SIMULATIONS, lambda: say(next(steps, SEARCH_PERCENT)))
    policy = tuned_policy(question.policy, tuned)
    crowd = draw_crowd(rng, site.streams, _days(people, DAYS_REPORTED_MAX))
    say(REPORT_PERCENT)
    levels = _levels(question, site, crowd, policy, frozenset(tuned.unreachable))
    return Found(
        order=question.order, values=policy.rates if question.order == "accumulating" else tuple(map(float, policy.head_start_minutes)),
        levels=levels, extra_staff=_extra(rng, site, rule, days, say) if any(each.is_met is False for each in levels) else 0,
        extra_tried=EXTRA_MAX, day_count=crowd.days,
    )  # fmt: skip


def site_of(question: Question) -> Site:
    """The day as the tuner wants it."""
    if question.services:
        service = observed(question.services, lognormal(question.service_minutes, question.service_variation))
    else:
        service = lognormal(question.service_minutes, question.service_variation)
    target = {each.level: Target(minutes=each.minutes, share=each.share) for each in question.targets}
    hours = [60.0 * hour for hour in range(3 * HOURS)]
    kept = question.policy.kept_for_emergencies if question.policy.staff else 0
    return Site(
        streams=[Stream(walk_ins_per_hour=[*level, *level], service=service) for level in question.arrivals],
        staff=Staff(steps=tuple(zip(hours, question.staff * 3, strict=True)), kept=kept),
        targets=[target.get(level) for level in range(1, LEVELS + 1)], first=FIRST, counted_from_minute=DAY_MINUTES,
    )  # fmt: skip


def _extra(rng: np.random.Generator, site: Site, rule: Rule, days: int, say: Callable[[int], None]) -> int | None:
    percent = float(REPORT_PERCENT)

    def went_on() -> None:
        nonlocal percent
        percent += 0.05 * (DONE_PERCENT - percent)
        say(int(percent))

    return extra_staff(rng, site, rule, days, SIMULATIONS_EXTRA, went_on)


def _levels(question: Question, site: Site, crowd: Crowd, policy: QueuePolicy, unreachable: frozenset[int]) -> tuple[LevelOutlook, ...]:
    now, then = (waits_under(site, crowd, order_of_policy(each)) for each in (question.policy, policy))
    target_of = {each.level: each for each in question.targets}
    return tuple(
        _level(tier + 1, now[tier], then[tier], crowd.days, target_of.get(tier + 1), could_be=tier not in unreachable)
        for tier in range(LEVELS)
    )


def _level(level: int, now: Floats, then: Floats, days: int, target: LevelTarget | None, *, could_be: bool) -> LevelOutlook:
    """`could_be`: whether any order meets the target."""
    after = _outlook(then, target)
    is_met = after.share >= target.share if target and after.share is not None else None
    return LevelOutlook(
        level=level, people_a_day=len(then) / days, target=target, now=_outlook(now, target), then=after, is_met=is_met,
        is_reachable=None if is_met is None else is_met or could_be,
    )  # fmt: skip


def _outlook(waits: Floats, target: LevelTarget | None) -> Outlook:
    if not len(waits):
        return Outlook()
    median, high = (round(each) if each < DAY_MINUTES else None for each in np.percentile(waits, (50, 90), method="inverted_cdf").tolist())
    share = float((waits <= target.minutes).mean()) if target else None
    return Outlook(share=share, median_minutes=median, high_minutes=high)


def _days(people_a_day: float, most: int) -> int:
    return max(1, min(most, int(CELLS_MAX / people_a_day)))


def _arrivals(seen: Seen) -> tuple[tuple[float, ...], ...]:
    levels = range(1, LEVELS + 1)
    return tuple(tuple(seen.came.get((level, hour), 0) / max(1, seen.day_count) for hour in range(HOURS)) for level in levels)


def _is_enough(seen: Seen) -> bool:
    return seen.day_count >= DAY_LEAST and sum(seen.came.values()) >= PEOPLE_LEAST and len(seen.services) >= SERVED_LEAST


def _next_look(at: datetime) -> datetime:
    late = timedelta(minutes=at.minute % 5, seconds=at.second, microseconds=at.microsecond)
    return at if not late else at - late + LOOKED_EVERY
