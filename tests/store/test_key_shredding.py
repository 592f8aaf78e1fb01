"""Shredding: what an older backup holds can be read by nobody, what lives goes on, and a crash in between is finished by the next start."""

from pathlib import Path

import pytest

from carewright.contracts.patients import Patient, RegisterPatient
from carewright.kernel.clock import ManualClock
from carewright.kernel.context import Context
from carewright.kernel.privacy.cipher import FieldCipher, SealedElsewhere
from carewright.kernel.privacy.kek import FileKey, KeyPlace, KeysUnavailable, WrongKey, file_key, new_key_file, next_of
from carewright.kernel.privacy.vault import IN_FLIGHT, Vault
from carewright.kernel.private_file import write_private
from carewright.kernel.settings import StartFailed
from carewright.kernel.sql import Query
from carewright.patients.module import MODULE
from carewright.patients.service import records as service
from carewright.roles import rotation
from tests.servers import Contexts

FRESH_SECONDS = 10.0
WHO = RegisterPatient(family="Quokkaline", given=("Zyxwella",))
RECORD = Query("test.record", "SELECT person FROM patients.patient WHERE organization_id = $1 AND id = $2")
KEYS = Query("test.keys", "SELECT purpose, version, wrapped FROM kernel.keyset WHERE organization_id = $1 AND wrapped IS NOT NULL")
NO_WRAPPING = Query("test.no_wrapping", "DELETE FROM kernel.wrapping")
NO_KEYS = Query("test.no_keys", "UPDATE kernel.keyset SET wrapped = NULL, destroyed_at = now() WHERE wrapped IS NOT NULL")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_private(tmp_path / "field.key", new_key_file())
    return tmp_path / "field.key"


@pytest.fixture
async def ctx(context: Contexts, clock: ManualClock, path: Path) -> Context:
    """A tenant of this test's own keys; keys of the tests before are none of these."""
    system = await context.system("patients")
    await system.db.execute(NO_WRAPPING)
    await system.db.execute(NO_KEYS)
    made = await context("patients")
    return Context(**{name: getattr(made, name) for name in made.__slots__} | {"vault": process(clock, path)})


def content(path: Path) -> bytes:
    return path.read_bytes()


def is_there(path: Path) -> bool:
    return path.exists()


def process(clock: ManualClock, path: Path) -> Vault:
    """The keys as one more process has them, which reads the file now."""
    return Vault(file_key(path), clock, FRESH_SECONDS)


async def rotated(ctx: Context, clock: ManualClock) -> None:
    """What `carewright keys rotate` does."""
    version = await ctx.vault.renew(ctx.db, ctx.actor.organization_id)
    clock.advance(seconds=2 * FRESH_SECONDS + IN_FLIGHT.total_seconds() + 1)
    await rotation.until_alone(ctx, version)
    await rotation.reseal([MODULE], lambda _: ctx, lambda _: None)
    await ctx.vault.retire(ctx.db, ctx.actor.organization_id, version)


async def rewrapped(context: Contexts, ctx: Context, path: Path) -> None:
    """All keys under the next file, which is not in its place yet."""
    write_private(next_of(path), new_key_file())
    system = await context.system("patients")
    async with system.db.transaction() as tx:
        await ctx.vault.rewrap(tx, FileKey(content(next_of(path))))


async def shredded(context: Contexts, ctx: Context, clock: ManualClock, path: Path) -> None:
    """What `carewright keys shred` does."""
    await rotated(ctx, clock)
    assert await ctx.vault.destroy_retired(ctx.db, ctx.actor.organization_id) == 1
    await rewrapped(context, ctx, path)
    next_of(path).replace(path)


async def patient(ctx: Context) -> Patient:
    return await service.register_patient(ctx.acting(ctx.actor), WHO)


async def test_nobody_can_read_an_older_backup(context: Contexts, ctx: Context, clock: ManualClock, path: Path) -> None:
    made = await patient(ctx)
    (backup,) = await ctx.db.fetch(RECORD, ctx.actor.organization_id, made.id)
    wrapped = await ctx.db.fetch(KEYS, ctx.actor.organization_id)
    place = ("patients.patient", "person", made.id)
    assert b"Quokkaline" in (await ctx.cipher()).open_(*place, backup["person"])
    await shredded(context, ctx, clock, path)
    after = process(clock, path)
    cipher: FieldCipher = await after.of(ctx.db, ctx.actor.organization_id)
    with pytest.raises(SealedElsewhere):
        cipher.open_(*place, backup["person"])
    newest = FileKey(content(path))
    for row in wrapped:
        with pytest.raises(WrongKey):
            await newest.unwrap(row["wrapped"], KeyPlace(ctx.actor.organization_id, row["purpose"], row["version"]))
    (now,) = await ctx.db.fetch(RECORD, ctx.actor.organization_id, made.id)
    assert b"Quokkaline" in cipher.open_(*place, now["person"]), "what lives goes on"


async def test_a_process_that_runs_takes_up_the_new_file(context: Contexts, ctx: Context, clock: ManualClock, path: Path) -> None:
    made = await patient(ctx)
    await rewrapped(context, ctx, path)
    clock.advance(seconds=FRESH_SECONDS + 1)
    assert (await service.get_patient(ctx, made.id)).family == WHO.family, "while the new file lies beside the old one"
    next_of(path).replace(path)
    clock.advance(seconds=FRESH_SECONDS + 1)
    assert (await service.get_patient(ctx, made.id)).family == WHO.family
    assert (await patient(ctx)).family == WHO.family


async def test_a_start_after_a_crash_puts_the_new_file_in_its_place(
    context: Contexts, ctx: Context, clock: ManualClock, path: Path
) -> None:
    await ctx.cipher()
    before = content(path)
    write_private(next_of(path), new_key_file())
    await process(clock, path).ensure_opens((await context.system("patients")).db)
    assert content(path) == before, "nothing was wrapped by the next file yet"
    await rewrapped(context, ctx, path)
    following = content(next_of(path))
    for _ in range(2):
        await process(clock, path).ensure_opens((await context.system("patients")).db)
    assert (content(path), is_there(next_of(path))) == (following, False)
    write_private(path, before)
    with pytest.raises(StartFailed):
        await process(clock, path).ensure_opens((await context.system("patients")).db)


async def test_nothing_is_wrapped_by_a_key_that_was_replaced(context: Contexts, ctx: Context, clock: ManualClock, path: Path) -> None:
    late = Vault(FileKey(content(path)), clock, FRESH_SECONDS)
    await ctx.cipher()
    await rewrapped(context, ctx, path)
    stranger = await context("patients", organization_id=context.ids.new())
    with pytest.raises(KeysUnavailable):
        await late.of(stranger.db, stranger.actor.organization_id)
    next_of(path).replace(path)
    assert (await ctx.vault.of(stranger.db, stranger.actor.organization_id)).current == 1
