"""A clinic of which the truth is known, whose practitioners see those who are booked with them and, beside them, whoever walks in.

A day is simulated event by event by the rules by which the queue calls (`model.order.rank`, `model.queue.ranked_from`), so nothing of what
is told is used to find what is true.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import msgspec
import numpy as np

from carewright.contracts.queue import QueueEntry, QueuePolicy
from carewright.flow.model.coming import Coming
from carewright.flow.model.order import rank
from carewright.flow.model.queue import ranked_from
from carewright.flow.model.waiting.distribution import lognormal
from carewright.flow.model.waiting.estimates import Estimate, estimate
from carewright.flow.model.waiting.learning import Outcome
from carewright.flow.model.waits import DAYS_SEEN, LATENESS, OVERDUE, VARIATION, Known, Served, live_queue

OPENS = datetime(2026, 11, 2, 8, tzinfo=UTC)
HOURS = 10
NOW = OPENS + timedelta(hours=4, minutes=10)
PRACTITIONERS = [UUID(int=number) for number in (1, 2, 3)]
NOBODY = UUID(int=99)
SERVICE = lognormal(15.0, VARIATION)
WALK_INS_PER_HOUR = {3: 1.5, 4: 5.5}
POLICIES = {
    "head-start": QueuePolicy(staff=3, head_start_minutes=(120, 30, 0, 0)),
    "accumulating": QueuePolicy(staff=3, order="accumulating", rates=(8.0, 3.0, 1.0, 1.0)),
}


@dataclass
class Person:
    """Somebody who comes: `came` is when, `start` when they are booked for."""

    id: UUID
    level: int
    came: datetime
    minutes: float
    practitioner_id: UUID | None = None
    start: datetime | None = None
    ranked_from: datetime = OPENS
    called: datetime | None = None
    back: datetime | None = None
    """From `NOW` until then they wait elsewhere, and are passed over."""

    def is_here(self, now: datetime) -> bool:
        return self.back is None or now <= NOW or now >= self.back


@dataclass
class Day:
    """Everybody of one day: who came and was called when, and all who were booked, whether they came or not."""

    people: Sequence[Person]
    booked: Sequence[Coming]


def day_of(rng: np.random.Generator, policy: QueuePolicy) -> Day:
    """One day as it truly goes."""
    numbers = count(1_000)
    people, booked = list(_walk_ins(rng, numbers)), []
    for practitioner in PRACTITIONERS:
        for half_hour in range(2 * HOURS):
            id_, start = UUID(int=next(numbers)), OPENS + timedelta(minutes=30 * half_hour)
            end = start + timedelta(minutes=15)
            booked.append(Coming(appointment_id=id_, practitioner_ids=(practitioner,), level=3, status="booked", start=start, end=end))
            if rng.random() >= policy.no_show_share:
                came = max(OPENS, start + timedelta(minutes=float(LATENESS.draw(rng, 1)[0])))
                people.append(Person(id_, 3, came, float(SERVICE.draw(rng, 1)[0]), practitioner, start))
    for each in people:
        each.ranked_from = ranked_from(each.came, each.start, policy)
    _run(people, policy)
    return Day(people, booked)


def _walk_ins(rng: np.random.Generator, numbers: Iterator[int]) -> Iterator[Person]:
    for level, per_hour in WALK_INS_PER_HOUR.items():
        for minute in rng.uniform(0, HOURS * 60, rng.poisson(per_hour * HOURS)).tolist():
            yield Person(UUID(int=next(numbers)), level, OPENS + timedelta(minutes=minute), float(SERVICE.draw(rng, 1)[0]))


def _run(people: Sequence[Person], policy: QueuePolicy) -> None:
    order = count()
    events: list[tuple[datetime, int, Person | UUID | None]] = [(each.came, next(order), each) for each in people]
    events += [(OPENS, next(order), each) for each in PRACTITIONERS]
    events += [(each.back, next(order), None) for each in people if each.back is not None]
    heapq.heapify(events)
    waiting: list[Person] = []
    idle: list[UUID] = []
    while events:
        now, _, what = heapq.heappop(events)
        if isinstance(what, Person):
            waiting.append(what)
        elif what is not None:
            idle.append(what)
        for practitioner in tuple(idle):
            own = [each for each in waiting if each.practitioner_id in (None, practitioner) and each.is_here(now)]
            if own:
                first = min(own, key=lambda each: rank(policy, each.level, each.ranked_from, each.id, now))
                first.called = now
                first.practitioner_id = practitioner
                waiting.remove(first)
                idle.remove(practitioner)
                heapq.heappush(events, (now + timedelta(minutes=first.minutes), next(order), practitioner))


def send_elsewhere(rng: np.random.Generator, day: Day, policy: QueuePolicy) -> None:
    """Have about half of the routine walk-ins who wait at `NOW` do so elsewhere, and run the day anew: until then it is as it was."""
    wanted = {each.appointment_id: each.practitioner_ids[0] for each in day.booked}
    for each in day.people:
        if each.level == 4 and each.came <= NOW < (each.called or NOW) and rng.random() < 0.5:
            each.back = NOW + timedelta(minutes=float(rng.uniform(5, 50)))
        each.practitioner_id, each.called = wanted.get(each.id), None
    _run(day.people, policy)


def known_at(day: Day, wanted: dict[UUID, UUID | None], served: Sequence[float], reckons_with_booked: bool) -> tuple[Known, list[float]]:
    """What the queue knows at `NOW`, and how long each who waits does wait from then on."""
    here = [each for each in day.people if each.came <= NOW]
    waiting = [each for each in here if each.called is None or each.called > NOW]
    serving = [
        Served(practitioner_id=each.practitioner_id, elapsed=(NOW - each.called).total_seconds() / 60)
        for each in here
        if each.called is not None and each.called <= NOW < each.called + timedelta(minutes=each.minutes)
    ]
    are_here = {each.id for each in here}
    coming = [each for each in day.booked if each.appointment_id not in are_here and each.start >= NOW - OVERDUE]
    came = {(level, hour): round(per_hour * DAYS_SEEN) for level, per_hour in WALK_INS_PER_HOUR.items() for hour in range(5)}
    known = Known(
        waiting=[_entry(each, wanted[each.id]) for each in waiting], serving=serving, minutes_served=served, minutes_planned=15.0,
        came=came, coming=coming if reckons_with_booked else (),
    )  # fmt: skip
    return known, [((each.called or NOW) - NOW).total_seconds() / 60 for each in waiting]


def _entry(person: Person, practitioner_id: UUID | None) -> QueueEntry:
    return QueueEntry(
        id=person.id, queue_id=NOBODY, site_id=NOBODY, service_id=NOBODY, encounter_id=NOBODY, patient_id=NOBODY, ticket="A001",
        status="waiting", level=person.level, ranked_from=person.ranked_from, practitioner_id=practitioner_id, updated_at=NOW,
        travel_minutes=None if person.back is None else 20, come_at=None if person.back is None else NOW, due_at=person.back,
    )  # fmt: skip


def outcomes_with_booked(policy: QueuePolicy, days: int, seed: int, *, reckons_with_booked: bool = True) -> dict[str, list[Outcome]]:
    """What those who wait at `NOW` are told and how long it was: of those who walked in, and of those who are booked."""
    rng = np.random.default_rng(seed)
    served = SERVICE.draw(rng, 500).tolist()
    outcomes: dict[str, list[Outcome]] = {"walked in": [], "booked": []}
    for _ in range(days):
        day = day_of(rng, policy)
        booked_with = {each.appointment_id: each.practitioner_ids[0] for each in day.booked}
        wanted = {each.id: booked_with.get(each.id) for each in day.people}
        known, actual = known_at(day, wanted, served, reckons_with_booked)
        told = estimate(np.random.default_rng(rng.integers(2**32)), live_queue(known, policy, NOW))
        for who, each, minutes in zip(known.waiting, told, actual, strict=True):
            outcomes["walked in" if who.practitioner_id is None else "booked"].append(_outcome(each, minutes))
    return outcomes


def outcomes_with_elsewhere(policy: QueuePolicy, days: int, seed: int, *, reckons_with_elsewhere: bool = True) -> dict[str, list[Outcome]]:
    """The same, where many wait elsewhere: of those who do, of those who wait here, and of those who are booked."""
    rng = np.random.default_rng(seed)
    served = SERVICE.draw(rng, 500).tolist()
    outcomes: dict[str, list[Outcome]] = {"elsewhere": [], "here": [], "booked": []}
    for _ in range(days):
        day = day_of(rng, policy)
        send_elsewhere(rng, day, policy)
        booked_with = {each.appointment_id: each.practitioner_ids[0] for each in day.booked}
        known, actual = known_at(day, {each.id: booked_with.get(each.id) for each in day.people}, served, reckons_with_booked=True)
        who = known.waiting
        if not reckons_with_elsewhere:
            known = msgspec.structs.replace(known, waiting=[msgspec.structs.replace(each, travel_minutes=None) for each in who])
        told = estimate(np.random.default_rng(rng.integers(2**32)), live_queue(known, policy, NOW))
        for entry, each, minutes in zip(who, told, actual, strict=True):
            kind = "booked" if entry.practitioner_id else "here" if entry.travel_minutes is None else "elsewhere"
            outcomes[kind].append(_outcome(each, minutes))
    return outcomes


def _outcome(told: Estimate, minutes: float) -> Outcome:
    assert told.low is not None
    assert told.median is not None
    assert told.high is not None
    return Outcome(low=told.low, median=told.median, high=told.high, actual=minutes)
