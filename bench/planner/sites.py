"""A hospital's day, made up from a seed: four services at each of eight sites, 24 hours, more visits than there is room for.

A site is as the SEED day is, four times as large: its physicians, rooms, equipment and nurses are its own.
Worth is SEED's (SEED.md beside the instances): time used, waiting and windows by tier, and the risk of a no-show.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.planner.building import NO_ROW, Role, Visit
from carewright.scheduling.model.planning import Longs

SITES, VISITS, TICKS = 8, 4_500, 288
SERVICES, SERVICE_ODDS = (16, 8, 8, 8), (0.42, 0.20, 0.20, 0.18)
"""Physicians of each service at a site: 320 in all."""
SHIFT, PAUSE = 96, 6
SHIFT_STARTS, SHIFT_ODDS = (0, 84, 96, 108, 168), (0.05, 0.30, 0.30, 0.30, 0.05)
LENGTHS, LENGTH_ODDS = (5, 6, 9, 12, 18), (0.40, 0.30, 0.18, 0.07, 0.05)
OMEGA, TAU, TIER_ODDS = np.array([8.0, 3.0, 1.0]), (3, 12, 24), (0.05, 0.35, 0.60)
CONSULT, PROCEDURE, DIAGNOSTIC, ECG, ULTRASOUND, SCOPE, NURSE = range(sum(SERVICES), sum(SERVICES) + 7)
SHARED_UNITS = (28, 12, 8, 8, 4, 4, 16)
POOLS_OF_SITE = sum(SERVICES) + len(SHARED_UNITS)
SCALE = 1e7

Rng = np.random.Generator


class Day(NamedTuple):
    """What `problem_of` makes a problem of."""

    capacity: npt.NDArray[np.int16]
    visits: list[Visit]
    worth: Longs


def hospital(visits: int) -> Day:
    """As many sites as the visits need: smaller days are of the same kind."""
    rng = np.random.default_rng(visits)
    sites = max(1, round(SITES * visits / VISITS))
    capacity = np.concatenate([_site(rng) for _ in range(sites)])
    at_work = int(capacity.reshape(sites, POOLS_OF_SITE, TICKS)[:, : sum(SERVICES)].sum())
    tiers = rng.choice(3, visits, p=TIER_ODDS)
    made, rows = [], []
    for number, tier in enumerate(tiers.tolist()):
        site, kind, service = int(rng.integers(sites)), int(rng.choice(5, p=LENGTH_ODDS)), int(rng.choice(4, p=SERVICE_ODDS))
        release, worth = _worth(rng, tier, LENGTHS[kind], at_work, float(OMEGA[tiers].sum()))
        rows += worth
        leads = _leads(rng, site, service, 2 * number)
        roles = [Role(LENGTHS[kind], leads), *_shared(rng, site * POOLS_OF_SITE, kind, heart=service == 1)]
        made.append(Visit(range(release, TICKS - LENGTHS[kind] - 1), tier, roles))
    return Day(capacity, made, np.round(SCALE * np.array(rows)).astype(np.int64))


def _site(rng: Rng) -> npt.NDArray[np.int16]:
    """Its physicians by service, then what they share."""
    rows = np.zeros((POOLS_OF_SITE, TICKS), np.int16)
    for physician in range(sum(SERVICES)):
        start = int(rng.choice(SHIFT_STARTS, p=SHIFT_ODDS))
        pause = start + SHIFT // 2 + int(rng.integers(-PAUSE, PAUSE + 1))
        rows[physician, start : start + SHIFT] = 1
        rows[physician, pause : pause + PAUSE] = 0
    rows[sum(SERVICES) :] = np.array(SHARED_UNITS)[:, None]
    return rows


def _worth(rng: Rng, tier: int, length: int, at_work: int, omega: float) -> tuple[int, list[npt.NDArray[np.float64]]]:
    """When a visit may begin, and its worth by the tick where its wishes for a physician are met, and where not."""
    ticks = np.arange(TICKS)
    if tier == 0:
        release = first = int(rng.integers(0, TICKS - 30))
        last = TICKS
    else:
        first = int(np.clip(rng.normal(126, 24), 0, 250)) if rng.random() < 0.85 else int(rng.integers(0, 250))
        release, last = max(0, first - int(rng.integers(0, 13))), first + int(rng.integers(12, 37))
    waited = np.maximum(0, ticks - release)
    within = np.where((ticks >= first) & (ticks < last), 1.0, 0.6)
    risk = np.minimum(0.95, (0.02 if tier == 0 else rng.beta(2, 10)) * (1 + 0.3 * waited / 48))
    served = 0.4 * OMEGA[tier] * within / (1 + waited / TAU[tier]) / omega
    used = 0.4 * length / at_work - 0.2 * length * risk / at_work
    return release, [used + served, used + 0.85 * served]


def _leads(rng: Rng, site: int, service: int, row: int) -> list[tuple[int, int]]:
    """Physicians of the service at the site; two in five patients wish for one of them."""
    pools = site * POOLS_OF_SITE + sum(SERVICES[:service]) + np.arange(SERVICES[service])
    wish = int(rng.choice(pools)) if rng.random() < 0.4 else None
    return [(pool, row if wish in (None, pool) else row + 1) for pool in pools.tolist()]


def _shared(rng: Rng, base: int, kind: int, *, heart: bool) -> list[Role]:
    """Room, equipment and nurse, as often as in the SEED day; cleaning included."""
    length = LENGTHS[kind]
    if kind >= 3:
        scope = [(SCOPE, length + 1)] if rng.random() < 0.35 else []
        needs = [(PROCEDURE, length + 2), *scope, (NURSE, length)]
    else:
        drawn, ecg = rng.random(), 0.30 if heart else 0.05
        if drawn < ecg:
            needs = [(DIAGNOSTIC if rng.random() < 0.3 else CONSULT, length), (ECG, length + 1)]
        elif drawn < ecg + 0.10:
            needs = [(DIAGNOSTIC, length), (ULTRASOUND, length + 1)]
        else:
            needs = [(CONSULT, length)]
        needs += [(NURSE, length)] if rng.random() < 0.15 else []
    return [Role(held, [(base + pool, NO_ROW)]) for pool, held in needs]
