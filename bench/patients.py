"""Finding a patient among a million, whose names nobody can read in the database: what the front desk types, and how long it waits.

Names are put together from syllables, and as uneven as real ones: the most common family name is that of one patient in a hundred.
"""

import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from bench.world import ORGANIZATION, Ground, system
from carewright.contracts.directory import Identifier
from carewright.contracts.patients import ContactPoint, FindPatients, Patient
from carewright.kernel import migrate
from carewright.kernel.context import Context
from carewright.kernel.memory import set_aside
from carewright.patients.module import MODULE
from carewright.patients.service import records as service
from carewright.roles import rotation

SEED = 20_261_125
FAMILY_NAMES, GIVEN_NAMES = 60_000, 4_000
SYLLABLES = (
    "an", "ber", "cor", "dal", "er", "fen", "gar", "hol", "in", "jo", "kel", "lin", "mar", "nor", "os", "pet", "ra", "son", "tor", "wil",
)  # fmt: skip
EVEN = 12
DAYS = 36_500
QUESTIONS = 200


def people(count: int) -> Iterator[Patient]:
    """`count` patients from the seed. The n-th name of a list is had by one in n as many as the first (Zipf)."""
    rng = random.Random(SEED)
    families, givens = _names(rng, FAMILY_NAMES, 3), _names(rng, GIVEN_NAMES, 2)
    for number in range(count):
        yield Patient(
            id=UUID(int=(number << 80) | (7 << 76) | (0b10 << 62)), family=families[_rank(rng, FAMILY_NAMES)],
            given=(givens[_rank(rng, GIVEN_NAMES)],), birth_on=date(2026, 1, 1) - timedelta(days=rng.randrange(DAYS)), gender="female",
            language="en", telecom=(ContactPoint(system="phone", value=f"+1202{number:07d}"),),
            identifiers=(Identifier(system="urn:bench:mrn", value=f"{number:08d}"),),
        )  # fmt: skip


async def measure(ground: Ground, count: int, told: Any) -> list[dict[str, Any]]:
    """A row for each way to ask: p50, p95 and p99 in milliseconds, and how many were found; then loading and rotating."""
    dsn = await ground.database("patients")
    async with system(ground, dsn) as started:
        ctx: Context = started.context("patients").acting(started.tokens.actor("integration", "bench", ORGANIZATION))
        told(f"patients: storing {count:,}")
        began, used = time.perf_counter(), time.process_time()
        async with ctx.db.transaction() as tx:
            await service.bulk_load(ctx, tx, people(count))
        taken = {"seconds": time.perf_counter() - began, "our CPU s": time.process_time() - used}
        await migrate.refresh_statistics(dsn)
        set_aside()
        rows = [{"patients": count} | await _asked(what, ask) for what, ask in _ways(ctx, random.Random(SEED), _sample(count)).items()]
        told("patients: rotating the key")
        return [*rows, {"what": "load by COPY", "patients": count} | taken, await _rotated(ctx)]


def _ways(ctx: Context, rng: random.Random, whom: list[Patient]) -> dict[str, Callable[[], Awaitable[int]]]:
    def way(query: Callable[[Patient], FindPatients]) -> Callable[[], Awaitable[int]]:
        async def ask() -> int:
            return len((await service.find_patients(ctx, query(rng.choice(whom)))).items)

        return ask

    async def by_identifier() -> int:
        return len(await service.find_patients_by_identifier(ctx, rng.choice(whom).identifiers))

    return {
        "2 letters and birth date": way(lambda one: FindPatients(family=one.family[:2], birth_on=one.birth_on)),
        "4 letters, 2 of the given name": way(lambda one: FindPatients(family=one.family[:4], given=one.given[0][:2])),
        "whole name": way(lambda one: FindPatients(family=one.family, given=one.given[0])),
        "sound and birth date": way(lambda one: FindPatients(family=one.family, birth_on=one.birth_on, sounds_like=True)),
        "sound of the whole name": way(lambda one: FindPatients(family=one.family, given=one.given[0], sounds_like=True)),
        "2 letters alone": way(lambda one: FindPatients(family=one.family[:2])),
        "identifier": by_identifier,
    }


async def _asked(what: str, ask: Callable[[], Awaitable[int]]) -> dict[str, Any]:
    taken, found = [], []
    for _ in range(QUESTIONS):
        began = time.perf_counter()
        found.append(await ask())
        taken.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(taken, n=100)
    return {"what": what, "p50 ms": cuts[49], "p95 ms": cuts[94], "p99 ms": cuts[98], "found": statistics.fmean(found)}


async def _rotated(ctx: Context) -> dict[str, Any]:
    """Everything sealed anew, after the wait for the new version."""
    version = await ctx.vault.renew(ctx.db, ORGANIZATION)
    await rotation.until_alone(ctx, version)
    began = time.perf_counter()
    rows = await rotation.reseal([MODULE], lambda _: ctx, lambda _: None)
    seconds = time.perf_counter() - began
    return {"what": "rotation: fields sealed anew", "patients": rows, "seconds": seconds, "fields/s": 2 * rows / seconds}


def _sample(count: int) -> list[Patient]:
    return [one for number, one in enumerate(people(count)) if number % max(count // QUESTIONS, 1) == 0]


def _names(rng: random.Random, count: int, syllables: int) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < count:
        names["".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, syllables + 2))).capitalize()] = None
    return list(names)


def _rank(rng: random.Random, count: int) -> int:
    """A rank by the law of Zipf and Mandelbrot: as likely as one in `rank + EVEN`, drawn by the inverse of its distribution function."""
    return int(EVEN * ((count / EVEN + 1) ** rng.random() - 1))
