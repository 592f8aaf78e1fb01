"""The mathematics of waiting, in process: services simulated a second, how long an estimate and a tuning take, what estimates are worth."""

from collections.abc import Iterator
from itertools import cycle, islice
from time import perf_counter
from typing import Any

import msgspec
import numpy as np

from bench.availability import seconds
from carewright.contracts import tuning as tuning_contract
from carewright.contracts.queue import QueuePolicy
from carewright.flow.model import tuning
from carewright.flow.model.waiting.demand import NEVER, Stream, draw_crowd
from carewright.flow.model.waiting.distribution import exponential
from carewright.flow.model.waiting.estimates import LiveQueue, Serving, Waiting, estimate
from carewright.flow.model.waiting.simulation import Staff, accumulating, replay
from carewright.flow.model.waiting.tuner import CTAS_TARGETS, Site, tune
from tests.booked_world import POLICIES, outcomes_with_booked
from tests.waiting_world import BUSY, ORDERS, QUIET, SERVICES, coverage, outcomes_of, streams_of

SEED = 20_261_126
CLINIC_STAFF = 5
ASKED = 15
DAY = (1, 1, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 8, 8, 8, 8, 8, 8, 7, 6, 5, 4, 3, 2)
"""How many come in each hour, one against another."""
QUEUES = ((150, 4), (600, 14), (3_000, 68))
"""People a day, and how many serve at the busiest hour."""


def main() -> list[dict[str, Any]]:
    """Measure, and return the rows."""
    return [
        *_simulating(),
        _tuning(),
        *(_searching(*queue) for queue in QUEUES),
        *(_estimating(waiting) for waiting in (60, 500, 5_000, 50_000)),
        *_covering(),
    ]


def _simulating() -> list[dict[str, Any]]:
    """A busy day of 24 hours, three tiers, alone and many together."""
    streams = [Stream(walk_ins_per_hour=[each] * 24, service=exponential(20)) for each in (4.0, 8.0, 12.0)]
    order, staff = accumulating([9, 3, 1]), Staff(steps=((0, 9), (480, 10)))
    rows = []
    for days in (1, 100, 1_000):
        crowd = draw_crowd(np.random.default_rng(SEED), streams, days)
        (took,) = seconds(lambda people: replay(people, order, staff), iter([crowd]))
        rows.append({"what": f"replay {days:,} days of 24 hours, 9-10 servers", "services/s": int((crowd.arrivals < NEVER).sum() / took)})
    return rows


def _tuning() -> dict[str, Any]:
    per_hour = 0.92 * 13 * 2
    streams = [Stream(walk_ins_per_hour=[share * per_hour] * 48, service=exponential(30)) for share in (0.02, 0.13, 0.35, 0.38, 0.12)]
    site = Site(
        streams=streams, staff=Staff(steps=((0, 13),)), targets=(None, *CTAS_TARGETS), first=frozenset({0}), counted_from_minute=24 * 60
    )
    began = perf_counter()
    found = tune(np.random.default_rng(SEED), site, "accumulating")
    took = perf_counter() - began
    return {"what": f"tune five levels (120 orders, 100 days of 48 hours; unmet: {len(found.unmet)})", "p50_ms": took * 1e3}


def _searching(people: float, staff: int) -> dict[str, Any]:
    """A whole search, as the job has it: five levels, today's order beside the best, and how many more would do."""
    by_hour = [people * share / sum(DAY) for share in DAY]
    question = tuning.Question(
        arrivals=tuple(tuple(level * hour for hour in by_hour) for level in (0.02, 0.13, 0.35, 0.38, 0.12)), services=(),
        service_minutes=20.0, service_variation=0.6, staff=tuple(max(1, round(staff * share / max(DAY))) for share in DAY),
        targets=tuning_contract.CTAS_TARGETS, order="accumulating", policy=QueuePolicy(), seed=SEED,
    )  # fmt: skip
    began = perf_counter()
    found = tuning.reckon(question, lambda _: None)
    took = perf_counter() - began
    return {
        "what": f"search for the order of a queue of {people:,} a day, {staff} on duty (more that would do: {found.extra_staff})",
        "p50_ms": took * 1e3,
    }


def _estimating(waiting: int) -> dict[str, Any]:
    """Everybody in a queue at once, 200 replays; staff in proportion, so that all are served within hours."""
    servers = max(CLINIC_STAFF, waiting // 50)
    rng = np.random.default_rng(SEED)
    tiers = rng.choice(3, waiting, p=[0.0, 0.4, 0.6]).tolist()
    queue = LiveQueue(
        waiting=[Waiting(tier=tier, waited_minutes=float(rng.uniform(0, 90)), service=SERVICES[tier]) for tier in tiers],
        serving=[Serving(elapsed_minutes=float(rng.uniform(0, 10)), service=SERVICES[2]) for _ in range(servers)],
        coming=[
            msgspec.structs.replace(stream, walk_ins_per_hour=[each * servers / CLINIC_STAFF for each in stream.walk_ins_per_hour])
            for stream in streams_of(1.0)
        ],
        staff=Staff(steps=((0, servers),)),
        order=ORDERS["accumulating"],
    )
    times = seconds(lambda seed: estimate(np.random.default_rng(seed), queue), islice(cycle(range(3)), ASKED))
    p50, p95 = (np.percentile(times, (50, 95)) * 1e3).tolist()
    return {"what": f"estimate for each of {waiting:,} who wait, {servers} servers", "p50_ms": p50, "p95_ms": p95}


def _covering() -> list[dict[str, Any]]:
    rows = []
    for name, load, days in (("busy", BUSY, 200), ("quiet", QUIET, 1_200)):
        outcomes = [each for tier in outcomes_of(ORDERS["accumulating"], load, days, SEED).values() for each in tier]
        rows.append(
            {"what": f"range of 80 %, {name} clinic ({len(outcomes):,} waits on {days:,} days)", "kept_percent": coverage(outcomes) * 100}
        )
    return [*rows, *_covering_with_booked()]


def _covering_with_booked() -> Iterator[dict[str, Any]]:
    """Three practitioners with an appointment every half hour, and walk-ins beside."""
    for order, policy in POLICIES.items():
        for reckons in (True, False):
            told = outcomes_with_booked(policy, 1_000, SEED, reckons_with_booked=reckons)
            outcomes = [each for kind in told.values() for each in kind]
            who = "booked and walk-ins" if reckons else "the same, who is booked and to come not counted"
            yield {"what": f"range of 80 %, {who}, {order} ({len(outcomes):,} waits)", "kept_percent": coverage(outcomes) * 100}
