"""Rotating an organization's key while people read and write: nothing fails, nothing is lost, and what was broken off goes on."""

import asyncio
import itertools
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import asyncpg
import pytest

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import ContactPoint, FindPatients, Patient, PutPatients
from carewright.kernel.clock import ManualClock
from carewright.kernel.context import Context
from carewright.kernel.privacy.cipher import HEADER_BYTES, KeysDestroyed
from carewright.kernel.privacy.vault import IN_FLIGHT
from carewright.kernel.sql import Query
from carewright.patients.module import MODULE
from carewright.patients.service import records as service
from carewright.patients.store import records as store
from carewright.roles import rotation
from carewright.roles.registry import MODULES, SCHEMAS
from tests.keys import new_vault
from tests.servers import Contexts

PATIENTS = 3_000
FRESH_SECONDS = 10.0
VERSIONS = Query(
    "test.versions",
    "SELECT DISTINCT get_byte(person, 2) AS version FROM patients.patient WHERE organization_id = $1 UNION "
    "SELECT get_byte(reach, 2) FROM patients.patient WHERE organization_id = $1",
)


def people(count: int) -> Iterator[Patient]:
    for number in range(count):
        yield Patient(
            id=UUID(int=(number << 80) | (7 << 76) | (0b10 << 62)), family=f"Family{number % 97}", given=("Anna",),
            birth_on=date(1950, 1, 1) + timedelta(days=number), telecom=(ContactPoint(system="email", value=f"anna{number}@example.org"),),
            identifiers=(Identifier(system="urn:test:mrn", value=str(number)),),
        )  # fmt: skip


@pytest.fixture
async def ctx(context: Contexts, clock: ManualClock) -> Context:
    """A tenant with patients, in a process that asks for fresh keys as a real one does."""
    made = await context("patients")
    made = Context(**{name: getattr(made, name) for name in made.__slots__} | {"vault": new_vault(clock, FRESH_SECONDS)})
    async with made.db.transaction() as tx:
        await service.bulk_load(made, tx, people(PATIENTS))
    return made


async def versions(ctx: Context) -> set[int]:
    return {row["version"] for row in await ctx.db.fetch(VERSIONS, ctx.actor.organization_id)}


async def renewed(ctx: Context, clock: ManualClock) -> int:
    """A new version that has begun to seal."""
    version = await ctx.vault.renew(ctx.db, ctx.actor.organization_id)
    clock.advance(seconds=2 * FRESH_SECONDS + IN_FLIGHT.total_seconds() + 1)
    await rotation.until_alone(ctx, version)
    return version


async def test_no_read_and_no_write_fails_while_a_key_rotates(ctx: Context, clock: ManualClock) -> None:
    everybody = list(people(PATIENTS))
    assert await versions(ctx) == {1}
    version = await renewed(ctx, clock)
    reading = asyncio.create_task(rotation.reseal([MODULE], lambda _: ctx, lambda _: None))
    reads = 0
    for number in itertools.cycle(range(0, PATIENTS, 7)):
        if reading.done():
            break
        one = everybody[number]
        assert (await service.get_patient(ctx, one.id)).telecom == one.telecom
        found = await service.find_patients(ctx, FindPatients(family=one.family[:4], birth_on=one.birth_on))
        assert [each.id for each in found.items] == [one.id]
        await service.put_patients(ctx, PutPatients(patients=(everybody[number],)))
        reads += 1
    assert await reading == PATIENTS
    assert reads > 3
    assert await versions(ctx) == {version} == {2}


async def test_a_write_that_an_older_key_sealed_is_waited_for(ctx: Context, clock: ManualClock) -> None:
    """It is neither seen nor sealed anew before it is stored, and would be lost with its key."""
    organization_id = ctx.actor.organization_id
    async with ctx.db.transaction() as tx:
        await store.put_patients(tx, await ctx.cipher(), list(people(PATIENTS + 1))[-1:])
        version = await ctx.vault.renew(ctx.db, organization_id)
        clock.advance(seconds=2 * FRESH_SECONDS + 1)
        assert not await ctx.vault.seals_alone(ctx.db, organization_id, version), "others may still have something in their hands"
        clock.advance(seconds=IN_FLIGHT.total_seconds())
        waiting = asyncio.create_task(rotation.until_alone(ctx, version))
        await asyncio.sleep(3 * rotation.POLL_SECONDS)
        assert not waiting.done()
    await waiting
    assert await rotation.reseal([MODULE], lambda _: ctx, lambda _: None) == PATIENTS + 1
    assert await versions(ctx) == {version}


async def test_a_rotation_that_was_broken_off_goes_on_where_it_was(ctx: Context, clock: ManualClock) -> None:
    version = await renewed(ctx, clock)
    told: list[str] = []

    def stop(line: str) -> None:
        told.append(line)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rotation.reseal([MODULE], lambda _: ctx, stop)
    assert await versions(ctx) == {1, 2}
    assert await ctx.vault.renew(ctx.db, ctx.actor.organization_id) == version, "no third key is made"
    assert await rotation.reseal([MODULE], lambda _: ctx, told.append) == PATIENTS - 2 * rotation.BATCH
    assert await versions(ctx) == {2}
    assert await rotation.reseal([MODULE], lambda _: ctx, told.append) == 0


SEALED_COLUMNS = """
SELECT DISTINCT c.table_schema || '.' || c.table_name FROM information_schema.columns c JOIN pg_class p ON p.relname = c.table_name
WHERE c.data_type = 'bytea' AND NOT p.relispartition
  AND c.table_schema = ANY($1) AND c.column_name NOT LIKE '%hash%' AND c.column_name NOT IN ('mark', 'proof', 'checksum', 'fingerprint')
  AND (c.table_schema || '.' || c.table_name, c.column_name) NOT IN
      (('access.passkey', 'credential_id'), ('access.passkey', 'public_key'), ('access.passkey_challenge', 'challenge'))
"""
"""A hash is named so: there is nothing to read in one, and the index key does not rotate. Nor is there in a passkey's public half, and in
what it is asked to sign."""
PASSING = {"kernel.idempotency", "kernel.keyset"}
"""Answers live for a week, and a retired key opens them; keys are wrapped by another key."""


async def test_every_sealed_column_is_known_to_the_rotation(database_url: str) -> None:
    """Whoever adds a sealed column adds it to `Module.sealed`, or it would keep its old key for ever."""
    assert HEADER_BYTES == 3, "the statements that look for older keys read as many bytes"
    connection = await asyncpg.connect(database_url)
    try:
        stored = {row[0] for row in await connection.fetch(SEALED_COLUMNS, list(SCHEMAS))}
    finally:
        await connection.close()
    assert stored - PASSING == {table for module in MODULES for table in module.sealed}


async def test_a_destroyed_key_leaves_nothing_that_can_be_read(ctx: Context, clock: ManualClock) -> None:
    await ctx.vault.destroy(ctx.db, ctx.actor.organization_id)
    for _ in range(2):
        with pytest.raises(KeysDestroyed):
            await service.get_patient(ctx, next(people(1)).id)
        clock.advance(seconds=FRESH_SECONDS + 1)
