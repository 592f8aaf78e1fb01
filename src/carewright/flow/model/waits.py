"""What is known of a queue, as the live queue that is replayed (`waiting.estimates`).

Who wants one practitioner, or is booked with one, waits in that practitioner's line. All others wait in the line of everybody, which every
practitioner serves beside their own, and so do those of the queue's staff of whom nothing more is known.

Who waits elsewhere is passed over until they are back. In the replay each is a tier of their own, and arrives when they are back, with a
head start of all that they have waited by then: so they have the points of their place in the order from when they may be called.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
import numpy as np

from carewright.contracts.queue import QueueEntry, QueuePolicy
from carewright.flow.model.coming import Coming
from carewright.flow.model.waiting.demand import Booked, Stream
from carewright.flow.model.waiting.distribution import DOUBTS, Distribution, always, lognormal, normal, observed
from carewright.flow.model.waiting.estimates import LiveQueue, Serving, Waiting
from carewright.flow.model.waiting.policy import LEVELS, order_of_tiers
from carewright.flow.model.waiting.simulation import Lines, Order, Staff

MINUTES_USUAL = 15.0
VARIATION = 0.6
"""Standard deviation by mean of a consultation: between 0.4 and 0.9 in what has been measured (Cayirli and Veral, Production and Operations
Management 12, 2003, table 4)."""
LATENESS = normal(-12.0, 15.0)
"""Who has an appointment comes 10 to 15 minutes before it, as a rule (Alibeiki et al., JISTEM 19, 2022); its spread is assumed."""
DAYS_SEEN, HOURS_AHEAD = 14, 12
OVERDUE = timedelta(minutes=60)
"""Of those who are later than this nobody is expected any more."""
ON_DUTY_WITHIN = timedelta(minutes=60)
"""Whose next patient is due so soon is there, or as good as there."""
EVERYBODY = 0
ELSEWHERE_MAX = 100
"""Of those who are called first. Who waits elsewhere behind them is back before their turn: they are told to come in time."""
Tier = tuple[int, int, bool, int]
"""A line, a level, whether it is those who are still to come to an appointment; and above 0 which one it is of those who wait elsewhere."""


class Gone(NamedTuple):
    """Somebody who waits elsewhere: which of them, in how many minutes they are back, and what they will have waited by then."""

    number: int
    back_minutes: float
    head_start_minutes: float


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was called or is being seen, for so many minutes."""

    practitioner_id: UUID | None
    elapsed: float


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a queue is told by: who waits in order, who is served, how long services took, who came in which hour, who is booked.

    `away` says of practitioners who run late for how many minutes they see nobody.
    """

    waiting: Sequence[QueueEntry]
    serving: Sequence[Served]
    minutes_served: Sequence[float]
    minutes_planned: float | None
    came: Mapping[tuple[int, int], int]
    coming: Sequence[Coming] = ()
    away: Mapping[UUID, float] = {}


def live_queue(known: Known, policy: QueuePolicy, now: datetime) -> LiveQueue:
    """The queue as it is replayed. Those who wait stand in it as they do in `known`."""
    service = service_of(known)
    staffed = _practitioners(known, now)
    line_of = {who: line for line, who in enumerate(staffed, start=1)}
    expected = [each for each in known.coming if each.status == "booked" and each.practitioner_id in (None, *line_of)]
    gone = _gone(known.waiting, now)
    tier_of = {each.id: (_line(line_of, each), each.level, False, gone[each.id].number if each.id in gone else 0) for each in known.waiting}
    tiers = _tiers(tier_of.values(), expected, line_of)
    place = {tier: number for number, tier in enumerate(tiers)}
    anybody = _anybody(known, policy, len(staffed))
    return LiveQueue(
        waiting=[
            Waiting(
                tier=place[tier_of[each.id]], service=service,
                waited_minutes=-gone[each.id].back_minutes if each.id in gone else _minutes(now, each.ranked_from),
            )
            for each in known.waiting
        ],
        serving=[*_serving(known.serving, line_of, anybody, service), *_away(known, line_of, anybody)],
        coming=[_coming(tier, known, [each for each in expected if _tier(line_of, each) == tier], policy, service, now) for tier in tiers],
        staff=Staff(steps=((0.0, anybody + len(staffed)),), kept=policy.kept_for_emergencies if policy.staff else 0),
        order=_order(policy, tiers, {place[tier_of[id_]]: each.head_start_minutes for id_, each in gone.items()}),
        lines=Lines(of_tier=[line for line, *_ in tiers], of_server=[EVERYBODY] * anybody + list(line_of.values())),
    )  # fmt: skip


def back_minutes(entry: QueueEntry, now: datetime) -> float:
    """In how many minutes somebody who waits may be called: who is elsewhere when they are due, or, not told to come yet, by their way."""
    if entry.travel_minutes is None:
        return 0.0
    return float(entry.travel_minutes) if entry.due_at is None else max(0.0, (entry.due_at - now).total_seconds() / 60)


def _gone(waiting: Sequence[QueueEntry], now: datetime) -> dict[UUID, Gone]:
    """Who cannot be called yet, of those who wait, given in order."""
    gone = [(each, back) for each in waiting if (back := back_minutes(each, now)) > 0]
    return {
        each.id: Gone(number, back, back + _minutes(now, each.ranked_from))
        for number, (each, back) in enumerate(gone[:ELSEWHERE_MAX], start=1)
    }


def _order(policy: QueuePolicy, tiers: Sequence[Tier], more: Mapping[int, float]) -> Order:
    """The policy's order of these tiers, some of which have `more` of a head start."""
    order = order_of_tiers(policy, [(level, is_booked) for _, level, is_booked, _ in tiers])
    return msgspec.structs.replace(order, head_starts=order.head_starts + np.array([more.get(place, 0.0) for place in range(len(tiers))]))


def service_of(known: Known) -> Distribution:
    """How long one is served: as seen, and while little was seen, as planned."""
    return observed(known.minutes_served, lognormal(known.minutes_planned or MINUTES_USUAL, VARIATION))


def usual_minutes_of(minutes_served: Sequence[float], minutes_planned: float | None) -> float:
    """Its mean, for those who need no more than that."""
    return (sum(minutes_served) + DOUBTS * (minutes_planned or MINUTES_USUAL)) / (len(minutes_served) + DOUBTS)


def _practitioners(known: Known, now: datetime) -> list[UUID]:
    """Who is there: whoever sees somebody, is waited for, or is due to see somebody within the hour."""
    due = (each.practitioner_id for each in known.coming if each.start < now + ON_DUTY_WITHIN)
    named = (*(each.practitioner_id for each in known.serving), *(each.practitioner_id for each in known.waiting), *due)
    return sorted({each for each in named if each is not None})


def _anybody(known: Known, policy: QueuePolicy, practitioners: int) -> int:
    """How many serve of whom nothing is known: the rest of the staff, or, where no number is told, those who are at it."""
    busy = sum(each.practitioner_id is None for each in known.serving)
    return max(policy.staff - practitioners, 0) if policy.staff and policy.staff > practitioners else max(busy, 1 - practitioners)


def _tiers(waiting: Iterable[Tier], expected: Sequence[Coming], line_of: Mapping[UUID, int]) -> list[Tier]:
    """Those in which there is anybody, line by line; that of everybody who walks in is there at each level."""
    walk_ins = ((EVERYBODY, level, False, 0) for level in LEVELS)
    return sorted({*walk_ins, *waiting, *(_tier(line_of, each) for each in expected)})


def _line(line_of: Mapping[UUID, int], who: QueueEntry | Coming) -> int:
    return EVERYBODY if who.practitioner_id is None else line_of[who.practitioner_id]


def _tier(line_of: Mapping[UUID, int], booked: Coming) -> Tier:
    return _line(line_of, booked), booked.level, True, 0


def _serving(serving: Sequence[Served], line_of: Mapping[UUID, int], anybody: int, service: Distribution) -> list[Serving]:
    """Who sees whom: servers of nobody in particular come first, and after them each practitioner."""
    unnamed = iter(range(len(serving)))
    return [
        Serving(
            elapsed_minutes=max(0.0, each.elapsed), service=service,
            server=anybody - 1 + line_of[each.practitioner_id] if each.practitioner_id else next(unnamed) % (anybody or len(line_of)),
        )
        for each in serving
    ]  # fmt: skip


def _away(known: Known, line_of: Mapping[UUID, int], anybody: int) -> list[Serving]:
    """Who is not there yet is as good as busy; who sees somebody is there."""
    here = {each.practitioner_id for each in known.serving}
    return [
        Serving(elapsed_minutes=0.0, service=always(minutes), server=anybody - 1 + line_of[who])
        for who, minutes in known.away.items()
        if who in line_of and who not in here
    ]


def _coming(tier: Tier, known: Known, booked: Sequence[Coming], policy: QueuePolicy, service: Distribution, now: datetime) -> Stream:
    """Who walks in, as they did before at this time of day; or who is booked, of whom some never come."""
    line, level, is_booked, who = tier
    if who:
        return Stream(service=service)
    if is_booked:
        due = [Booked(due_minute=(each.start - now).total_seconds() / 60, no_show=policy.no_show_share, service=service) for each in booked]
        return Stream(service=service, booked=due, lateness=LATENESS, wait_until_due=True)
    per_hour = [known.came.get((level, hour), 0) / DAYS_SEEN for hour in range(HOURS_AHEAD)] if line == EVERYBODY else ()
    return Stream(walk_ins_per_hour=per_hour, service=service)


def _minutes(now: datetime, since: datetime) -> float:
    return max(0.0, (now - since).total_seconds() / 60)


def ahead_of(waiting: Iterable[QueueEntry]) -> dict[UUID, int]:
    """How many are called before each, of those whom the same may call."""
    counted: dict[UUID | None, int] = {}
    ahead = {}
    for each in waiting:
        ahead[each.id] = counted.get(each.practitioner_id, 0)
        counted[each.practitioner_id] = ahead[each.id] + 1
    return ahead
