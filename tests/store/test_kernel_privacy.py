"""The organizations' keys in PostgreSQL: made once, kept fresh, rotated without a gap, lost loudly, destroyed for good."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from carewright.kernel.clock import ManualClock
from carewright.kernel.context import Context
from carewright.kernel.privacy.cipher import KeysDestroyed, SealedElsewhere
from carewright.kernel.privacy.kek import FileKey, new_key_file
from carewright.kernel.privacy.vault import Vault
from carewright.kernel.settings import StartFailed, load
from carewright.kernel.sql import Query
from carewright.roles.embedded import PostgresServer
from carewright.roles.keys import ensure_key_file
from carewright.roles.registry import SECTIONS
from tests.keys import new_vault
from tests.samples import known_id
from tests.servers import Contexts, address_of, run_sql

PLACE = ("exam.person", "name", known_id(2))
FRESH_SECONDS = 10.0
KEYSETS = Query("test.keysets", "SELECT purpose, version, wrapped FROM kernel.keyset WHERE organization_id = $1 ORDER BY purpose, version")
FORGET = Query("test.forget", "DELETE FROM kernel.keyset WHERE organization_id = $1")
SWAP = Query(
    "test.swap",
    "UPDATE kernel.keyset t SET wrapped = o.wrapped FROM kernel.keyset o "
    "WHERE t.organization_id = $1 AND o.organization_id = $2 AND (t.purpose, t.version) = (o.purpose, o.version)",
)


@pytest.fixture
async def ctx(context: Contexts) -> Context:
    return await context("patients", role="front-desk")


@pytest.fixture
def other(clock: ManualClock) -> Vault:
    """The keys of another process."""
    return new_vault(clock, FRESH_SECONDS)


async def test_processes_that_meet_an_organization_first_at_once_share_one_key(ctx: Context, clock: ManualClock) -> None:
    organization_id = ctx.actor.organization_id
    ciphers = await asyncio.gather(*(new_vault(clock).of(ctx.db, organization_id) for _ in range(6)))
    sealed = ciphers[0].seal(*PLACE, b"Anna")
    assert [cipher.open_(*PLACE, sealed) for cipher in ciphers] == [b"Anna"] * 6
    assert [(row["purpose"], row["version"]) for row in await ctx.db.fetch(KEYSETS, organization_id)] == [("field", 1), ("index", 1)]


async def test_a_key_lies_in_the_database_wrapped_only(ctx: Context) -> None:
    cipher = await ctx.cipher()
    stored = b"".join(row["wrapped"] for row in await ctx.db.fetch(KEYSETS, ctx.actor.organization_id))
    assert cipher._index_key not in stored
    assert b"AesGcmKey" not in stored, "the name that every plain keyset of Tink's carries"


async def test_a_new_version_seals_only_when_every_process_has_it(ctx: Context, clock: ManualClock, other: Vault) -> None:
    organization_id, vault = ctx.actor.organization_id, new_vault(clock, FRESH_SECONDS)
    first = (await vault.of(ctx.db, organization_id)).seal(*PLACE, b"Anna")
    slow = await other.of(ctx.db, organization_id)
    assert await vault.renew(ctx.db, organization_id) == 2
    assert await vault.renew(ctx.db, organization_id) == 2, "a rotation that was broken off goes on"
    assert (await vault.of(ctx.db, organization_id)).current == slow.current == 1
    clock.advance(seconds=FRESH_SECONDS + 1)
    assert (await other.of(ctx.db, organization_id)).current == 1
    clock.advance(seconds=FRESH_SECONDS - 1)
    renewed = await vault.of(ctx.db, organization_id)
    sealed = renewed.seal(*PLACE, b"Anna")
    assert renewed.current == (await other.of(ctx.db, organization_id)).current == 2, "and then all of them at once"
    assert (await other.of(ctx.db, organization_id)).open_(*PLACE, sealed) == renewed.open_(*PLACE, first) == b"Anna"
    await vault.retire(ctx.db, organization_id, 2)
    assert await vault.renew(ctx.db, organization_id) == 3


async def test_a_wrong_key_stops_the_start_and_makes_no_new_key(ctx: Context, clock: ManualClock) -> None:
    await ctx.cipher()
    await ctx.vault.ensure_opens(ctx.db)
    wrong = Vault(FileKey(new_key_file()), clock, FRESH_SECONDS)
    with pytest.raises(StartFailed, match="key-missing"):
        await wrong.ensure_opens(ctx.db)
    with pytest.raises(SealedElsewhere):
        await wrong.of(ctx.db, ctx.actor.organization_id)
    assert len(await ctx.db.fetch(KEYSETS, ctx.actor.organization_id)) == 2


async def test_a_missing_key_file_is_made_for_an_empty_database_and_never_over_encrypted_data(
    ctx: Context, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("keys") / "field.key"
    sections = load(SECTIONS, {"CAREWRIGHT_SYSTEM_DATABASE_URL": database_url, "CAREWRIGHT_PRIVACY_KEY_FILE": str(path)})
    await ctx.cipher()
    with pytest.raises(StartFailed, match="Put the file back"):
        await ensure_key_file(sections)
    assert not path.exists()


async def test_the_key_file_is_its_owners_alone(postgres: PostgresServer, template: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path: Path = tmp_path_factory.mktemp("keys") / "field.key"
    await run_sql(postgres.dsn, f"CREATE DATABASE nothing_sealed TEMPLATE {template}")
    url = address_of(postgres, "nothing_sealed")
    sections = load(SECTIONS, {"CAREWRIGHT_SYSTEM_DATABASE_URL": url, "CAREWRIGHT_PRIVACY_KEY_FILE": str(path)})
    assert await ensure_key_file(sections) == path
    before = as_it_is(path)
    assert before[0] == 0o600
    assert await ensure_key_file(sections) is None
    assert as_it_is(path) == before


def as_it_is(path: Path) -> tuple[int, bytes]:
    """Who may read a file, and what it holds."""
    return path.stat().st_mode & 0o777, path.read_bytes()


async def test_a_keyset_put_into_another_organizations_row_does_not_open(ctx: Context, context: Contexts, other: Vault) -> None:
    stranger = await context("patients", role="front-desk", organization_id=known_id(77))
    await ctx.cipher()
    await stranger.cipher()
    system = await context.pools.of("patients")
    await system.execute(SWAP, ctx.actor.organization_id, stranger.actor.organization_id)
    with pytest.raises(SealedElsewhere):
        await other.of(ctx.db, ctx.actor.organization_id)
    await ctx.vault.destroy(ctx.db, ctx.actor.organization_id)  # so that no other test meets it


async def test_no_key_is_deleted_and_a_destroyed_one_is_not_made_anew(ctx: Context, clock: ManualClock) -> None:
    vault = new_vault(clock, FRESH_SECONDS)
    organization_id = ctx.actor.organization_id
    await vault.of(ctx.db, organization_id)
    with pytest.raises(asyncpg.PostgresError):
        await ctx.db.execute(FORGET, organization_id)
    assert await vault.destroy(ctx.db, organization_id) == 2
    for _ in range(2):
        with pytest.raises(KeysDestroyed):
            await vault.of(ctx.db, organization_id)
    assert [row["wrapped"] for row in await ctx.db.fetch(KEYSETS, organization_id)] == [None, None]
