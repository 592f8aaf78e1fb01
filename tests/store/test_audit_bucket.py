"""Checkpoints in a bucket that lets nobody delete them, whoever tries; and what verification reads back."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from carewright.audit import checks
from carewright.audit.jobs import show
from carewright.audit.model.checkpoint import size_of
from carewright.audit.settings import AuditSettings
from carewright.audit.witness.bucket import BucketWitness, address_of
from carewright.audit.witness.chosen import witnesses_of
from carewright.audit.witness.port import NotTaken, SawOther
from carewright.kernel.clock import ManualClock
from carewright.kernel.errors import Unavailable
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.restraints import Restraint, Restraints
from carewright.kernel.settings import StartFailed
from carewright.roles.embedded import PostgresServer
from tests.audit_log import SIGNER, AuditLog, audit_log
from tests.bucket import KEY_ID, REGION, SECRET, Bucket, serving
from tests.servers import MORNING, run_sql

PREFIX = "hospital-7/"
Made = Callable[..., BucketWitness]


@pytest.fixture
async def log(postgres: PostgresServer, template: str) -> AsyncIterator[AuditLog]:
    async with audit_log(postgres, template, "in_bucket") as made:
        yield made


@pytest.fixture
def store() -> Iterator[Bucket]:
    with serving(Bucket("audit", ManualClock(MORNING))) as bucket:
        yield bucket


@pytest.fixture
def witness(store: Bucket, tmp_path: Path) -> Made:
    """A witness in the store; settings may differ."""
    file = tmp_path / "credentials"
    file.write_text(f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
    known = AuditSettings(
        witness_s3_endpoint=store.url, witness_s3_bucket="audit", witness_s3_region=REGION, witness_s3_prefix=PREFIX,
        witness_s3_credentials_file=str(file),
    )  # fmt: skip
    return lambda **other: BucketWitness(replace(known, **other), store.clock, Outgoing([store.url]).reaching())


def verified(tmp_path: Path, kept: list[tuple[str, str]]) -> list[str]:
    return checks.verify(tmp_path / "export", SIGNER.verifier_key, [checks.Note(where, where, note) for where, note in kept])


async def test_each_checkpoint_is_an_object_that_is_locked_until_its_day(log: AuditLog, store: Bucket, witness: Made) -> None:
    await log.sealed(3)
    assert [await show(log.ctx, witness()) for _ in range(2)] == [True, False]
    newest = await log.sealed(3)
    await show(log.ctx, witness())
    assert [each.key for each in store.versions] == [f"{PREFIX}{size:020d}" for size in (3, 6)]
    assert store.versions[-1].content.decode() == newest
    until = f"{MORNING + timedelta(days=2557):%Y-%m-%dT%H:%M:%SZ}"
    assert {(each.mode, each.until) for each in store.versions} == {("COMPLIANCE", until)}


async def test_whoever_holds_the_credentials_deletes_no_version(log: AuditLog, store: Bucket, witness: Made, tmp_path: Path) -> None:
    """A delete without a version hides the object, and listing the versions finds it."""
    await log.sealed(5)
    await show(log.ctx, witness())
    key, version = store.versions[0].key, store.versions[0].id
    for query, status in (({"versionId": version}, 403), ({}, 204)):
        with pytest.raises(Unavailable, match=str(status)):
            await witness()._ask("DELETE", key, query)
    assert store.is_hidden(key)
    kept = await witness().kept()
    assert [size_of(note) for _, note in kept] == [5]
    assert await log.verify(tmp_path) == []
    assert verified(tmp_path, kept) == []


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE kernel.audit_entry SET body = replace(body, 'front-desk', 'nurse')", "fork"),
        ("DELETE FROM kernel.audit_entry WHERE (xid, position) >= ALL (SELECT xid, position FROM kernel.audit_entry)", "rollback"),
    ],
    ids=["rewritten", "cut off"],
)
async def test_a_log_that_fits_itself_is_found_out_from_the_bucket(
    log: AuditLog, witness: Made, tmp_path: Path, statement: str, finding: str
) -> None:
    await log.sealed(9)
    await show(log.ctx, witness())
    await log.tamper(statement)
    await run_sql(log.url, "TRUNCATE audit.tile, audit.checkpoint, audit.event", "UPDATE audit.log SET size = 0, xid = '0', position = 0")
    await log.seal()
    assert await log.verify(tmp_path) == []
    found = verified(tmp_path, await witness().kept())
    assert len(found) == 1
    assert found[0].startswith(f"{finding}: the checkpoint in the bucket at {PREFIX}{9:020d}, version v0000, ")


async def test_what_somebody_put_beside_them_hides_none(log: AuditLog, store: Bucket, witness: Made, tmp_path: Path) -> None:
    """Not under the same key either: the older version stays, and is read."""
    await log.sealed(4)
    await show(log.ctx, witness())
    for key in (store.versions[0].key, f"{PREFIX}notes"):
        store.put(key, b"nothing of ours")
    kept = await witness().kept()
    await log.verify(tmp_path)
    found = verified(tmp_path, kept)
    assert [each.partition(":")[0] for each in found] == ["forged", "forged"]
    assert 4 in [size_of(note) for _, note in kept]


async def test_listings_are_read_to_their_end(log: AuditLog, store: Bucket, witness: Made) -> None:
    store.page = 2
    for _ in range(5):
        await log.write(1)
        await log.seal()
        await show(log.ctx, witness())
    assert [size_of(note) for _, note in await witness().kept()] == [1, 2, 3, 4, 5]


async def test_a_bucket_takes_nothing_of_a_log_that_has_shrunk(log: AuditLog, witness: Made) -> None:
    smaller = await log.sealed(3)
    await witness().take(await log.sealed(3), 0, [])
    with pytest.raises(SawOther) as saw:
        await witness().take(smaller, 0, [])
    assert saw.value.size == 6


async def test_a_store_that_does_not_lock_is_no_witness(log: AuditLog, store: Bucket, witness: Made) -> None:
    note = await log.sealed(3)
    for fault in ("ignores locks", "no object lock", "shorter"):
        store.fault = fault
        with pytest.raises(NotTaken):
            await witness().take(note, 0, [])


@pytest.mark.parametrize(
    "other",
    [{"witness_s3_region": "elsewhere-1"}, {"witness_s3_credentials_file": "/nowhere"}, {"witness_s3_bucket": "other"}],
    ids=["region", "credentials", "bucket"],
)
async def test_whoever_the_store_does_not_know_gets_nothing_taken_and_nothing_read(
    log: AuditLog, store: Bucket, witness: Made, other: dict[str, str]
) -> None:
    note = await log.sealed(3)
    with pytest.raises(NotTaken):
        await witness(**other).take(note, 0, [])
    with pytest.raises(Unavailable):
        await witness(**other).kept()
    assert store.versions == []


async def test_a_bucket_is_asked_through_the_guard_and_not_once_it_is_held_back(log: AuditLog, store: Bucket, witness: Made) -> None:
    restraints = Restraints()
    held = Restraint(organization_id=log.ctx.actor.organization_id, id=log.ctx.ids.new(), kind="peer", name="127.0.0.1", since=MORNING)
    (asked,) = witnesses_of(witness()._settings, store.clock, Outgoing(restraints=restraints))
    await asked.take(await log.sealed(3), 0, [])
    restraints.take([held])
    with pytest.raises(NotTaken):
        await asked.take(await log.sealed(3), 0, [])
    assert len(store.versions) == 1


async def test_a_listing_with_a_document_type_is_not_read(store: Bucket, witness: Made) -> None:
    store.fault = "entities"
    with pytest.raises(Unavailable):
        await witness().kept()


def test_the_bucket_is_named_in_the_path_or_in_the_host() -> None:
    known = AuditSettings(witness_s3_endpoint="https://s3.example.org:9000/", witness_s3_bucket="audit")
    assert address_of(known) == "https://s3.example.org:9000/audit"
    assert address_of(replace(known, witness_s3_path_style=False)) == "https://audit.s3.example.org:9000"
    with pytest.raises(StartFailed):
        address_of(replace(known, witness_s3_endpoint="s3.example.org"))
