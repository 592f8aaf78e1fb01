"""Sealing, proving, witnessing, and finding out whoever changed the journal as a superuser."""

import asyncio
import dataclasses
import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from carewright.audit import checks, service, store
from carewright.audit.context import AuditContext
from carewright.audit.jobs import BATCH_MAX, NOT_SEALED, Sealing, seal_all, show
from carewright.audit.model import merkle
from carewright.audit.model.checkpoint import head_of, notes_in, size_of
from carewright.audit.witness.file import FileWitness
from carewright.audit.witness.port import NotTaken, SawOther
from carewright.audit.witness.tlog import HttpWitness
from carewright.contracts.audit import AuditEvent, FindAuditEvents, FindBusy, FindDisclosures, FindReads, UnknownAuditEvent
from carewright.kernel.audit import NOBODY, entry, record
from carewright.kernel.clock import ManualClock
from carewright.kernel.errors import BadInput, Forbidden
from carewright.kernel.notes import Verifier
from carewright.roles import auditing
from carewright.roles.embedded import PostgresServer
from tests.audit_log import PATIENTS, SIGNER, AuditLog, audit_log, fetch
from tests.servers import run_sql
from tests.tidy.source import ROOT

COUNT = 60
RAW = "INSERT INTO kernel.audit_entry (organization_id, id, body) SELECT gen_random_uuid(), gen_random_uuid(), {0}"
STAND_ALONE = ROOT / "tools" / "verify_audit.py"


@pytest.fixture
async def log(postgres: PostgresServer, template: str) -> AsyncIterator[AuditLog]:
    async with audit_log(postgres, template, "sealed") as made:
        yield made


def stand_alone(folder: Path) -> tuple[int, list[str]]:
    """Exit code and lines of the verifier that knows nothing of us."""
    command = [sys.executable, "-I", str(STAND_ALONE), str(folder / "export"), "--key", SIGNER.verifier_key]
    answer = subprocess.run([*command, "--witness", str(folder / "witness.txt")], capture_output=True, text=True, check=False)
    assert not answer.stderr, answer.stderr
    return answer.returncode, answer.stdout.splitlines()[:-1]


def last_size(path: Path) -> int:
    """The size in a file's last checkpoint, 0 while there is none."""
    notes = notes_in(path.read_text("utf-8")) if path.exists() else []
    return size_of(notes[-1]) if notes else 0


async def test_what_is_written_is_sealed_in_order_and_signed(log: AuditLog) -> None:
    note = await log.sealed(COUNT)
    head = head_of(Verifier(SIGNER.verifier_key).opened(note) or "")
    assert head is not None
    bodies = await fetch(log.url, "SELECT array_agg(body ORDER BY xid, position) FROM kernel.audit_entry")
    assert isinstance(bodies, list)
    tree = merkle.Growing()
    tree.extend(merkle.leaf_hash(body.encode()) for body in bodies)
    assert (head.origin, head.size, head.root) == (SIGNER.name, COUNT, tree.root())
    assert await seal_all(log.ctx, SIGNER) == 0, "nothing new, nothing signed"


async def test_a_transaction_that_is_still_running_holds_the_seal_back_and_loses_nothing(log: AuditLog) -> None:
    slow = await asyncpg.connect(log.url)
    try:
        async with slow.transaction():
            await slow.execute(
                "INSERT INTO kernel.audit_entry (organization_id, id, body) VALUES (gen_random_uuid(), gen_random_uuid(), '{}')"
            )
            await log.write(3)
            assert await seal_all(log.ctx, SIGNER) == 0
        assert await seal_all(log.ctx, SIGNER) == 4
    finally:
        await slow.close()


async def test_two_leaders_for_a_moment_seal_each_entry_once(log: AuditLog) -> None:
    await log.write(COUNT)
    assert sorted(await asyncio.gather(*(seal_all(log.ctx, SIGNER) for _ in range(3)))) == [0, 0, COUNT]


async def test_an_entry_out_of_form_is_sealed_and_stops_nobody(log: AuditLog, tmp_path: Path) -> None:
    await run_sql(log.url, RAW.format("'nonsense'"))
    note = await log.sealed(5)
    assert size_of(note) == 6
    assert await log.verify(tmp_path, note) == []


async def test_what_is_sealed_while_the_log_is_read_is_no_finding(log: AuditLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await log.sealed(5)
    copy_journal = store.copy_journal

    async def meanwhile(*given: Any) -> None:
        await log.sealed(3)
        await copy_journal(*given)

    monkeypatch.setattr(store, "copy_journal", meanwhile)
    assert await log.verify(tmp_path) == []


async def test_what_a_witness_takes_while_the_log_is_read_is_no_finding(
    log: AuditLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = tmp_path / "witness.txt"
    witness.write_text(await log.sealed(5))
    export = checks.export

    async def and_on(ctx: AuditContext, folder: Path) -> checks.About:
        about = await export(ctx, folder)
        witness.write_text(await log.sealed(3))
        return about

    @asynccontextmanager
    async def here(_: object) -> AsyncIterator[AuditContext]:
        yield log.ctx

    monkeypatch.setattr(checks, "export", and_on)
    monkeypatch.setattr(auditing, "_context", here)
    assert await auditing.verify({}, [witness], SIGNER.verifier_key, lambda _: None) == []


async def test_more_than_a_batch_is_sealed_at_once(log: AuditLog) -> None:
    await run_sql(log.url, RAW.format(f"n::text FROM generate_series(1, {BATCH_MAX + 10}) AS n"))
    assert await seal_all(log.ctx, SIGNER) == BATCH_MAX + 10


async def test_the_leader_seals_within_its_second_and_hands_over_to_the_witness(log: AuditLog, tmp_path: Path) -> None:
    settings = type(log.ctx.settings)(origin=SIGNER.name, every_seconds=0.01, witness_seconds=0.01)
    leading = asyncio.ensure_future(Sealing(log.ctx, settings, SIGNER, [FileWitness(str(tmp_path / "w.txt"))]).run())
    try:
        await log.write(3)
        async with asyncio.timeout(10):
            while last_size(tmp_path / "w.txt") < 3:  # noqa: ASYNC110  (a file sets no asyncio.Event)
                await asyncio.sleep(0.01)
    finally:
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)


async def test_a_tree_that_somebody_broke_stops_the_sealing_and_nothing_else(log: AuditLog, tmp_path: Path) -> None:
    await log.sealed(5)
    await run_sql(log.url, "TRUNCATE audit.tile")
    await log.write(1)
    broken = NOT_SEALED._value.get()
    leading = asyncio.ensure_future(Sealing(log.ctx, log.ctx.settings, SIGNER).run())
    try:
        async with asyncio.timeout(10):
            while NOT_SEALED._value.get() == broken:  # noqa: ASYNC110  (a counter sets no asyncio.Event)
                await asyncio.sleep(0.01)
        assert not leading.done()
    finally:
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)
    found = await log.verify(tmp_path)
    assert found[0] == "the log says that it sealed 5 entries, and has the leaves of 0"
    assert found[1].startswith("rollback: ")


async def test_an_entry_is_proven_by_hashes_alone(log: AuditLog) -> None:
    await log.sealed(COUNT)
    page = await service.find_events(log.ctx, FindAuditEvents(limit=1))
    proof = await service.prove_event(log.ctx, page.items[0].id)
    head = head_of(Verifier(SIGNER.verifier_key).opened(proof.checkpoint) or "")
    assert head is not None
    leaf = merkle.leaf_hash(proof.body.encode())
    assert merkle.root_by_inclusion(proof.number, proof.size, leaf, [bytes.fromhex(each) for each in proof.path]) == head.root
    with pytest.raises(UnknownAuditEvent):
        await service.prove_event(log.ctx, UUID(int=5))


# --- tampering ----------------------------------------------------------------------------------------------------------------

NTH = "(SELECT xid, position FROM kernel.audit_entry ORDER BY xid, position OFFSET {0} LIMIT 1)"
TWO = "(SELECT xid, position, body, row_number() OVER (ORDER BY xid, position) AS n FROM kernel.audit_entry)"
EDIT = f"UPDATE kernel.audit_entry SET body = replace(body, 'front-desk', 'nurse') WHERE (xid, position) = {NTH}"  # noqa: S608  (put together from our own pieces)
DELETE = f"DELETE FROM kernel.audit_entry WHERE (xid, position) = {NTH}"  # noqa: S608  (put together from our own pieces)
TRUNCATE = f"DELETE FROM kernel.audit_entry WHERE (xid, position) >= {NTH}"  # noqa: S608  (put together from our own pieces)
INSERT = (
    "INSERT INTO kernel.audit_entry (xid, position, organization_id, id, body) OVERRIDING SYSTEM VALUE "  # noqa: S608  (our own pieces)
    "SELECT xid, position - 1000000, organization_id, gen_random_uuid(), replace(body, 'patient.read', 'patient.find') "
    f"FROM kernel.audit_entry WHERE (xid, position) = {NTH}"
)
SWAP = (
    f"UPDATE kernel.audit_entry e SET body = other.body FROM {TWO} one JOIN {TWO} other "  # noqa: S608  (put together from our own pieces)
    "ON one.n + other.n = 43 AND one.n IN (20, 23) WHERE (e.xid, e.position) = (one.xid, one.position)"
)


async def test_an_untouched_log_has_no_findings(log: AuditLog, tmp_path: Path) -> None:
    note = await log.sealed(COUNT)
    await log.write(2)
    assert await log.verify(tmp_path, note) == []
    assert stand_alone(tmp_path) == (0, [])


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        (EDIT.format(20), "edit: entry 20 "),
        (DELETE.format(20), "deletion: entries 20 to 20 "),
        (INSERT.format(20), "insertion: 1 entries that were never sealed stand before entry 20"),
        (SWAP, "reordering: the entries from 19 to 22 "),
        (TRUNCATE.format(40), "truncation: the entries from 40 to 59 "),
        ("TRUNCATE kernel.audit_entry", "truncation: the entries from 0 to 59 "),
    ],
    ids=["edit", "deletion", "insertion", "reordering", "truncation", "everything"],
)
async def test_whoever_changes_the_journal_is_found_out(log: AuditLog, tmp_path: Path, statement: str, finding: str) -> None:
    note = await log.sealed(COUNT)
    await log.tamper(statement)
    found = await log.verify(tmp_path, note)
    assert len(found) == 1
    assert found[0].startswith(finding)
    assert stand_alone(tmp_path) == (1, found)


async def test_several_changes_are_told_apart(log: AuditLog, tmp_path: Path) -> None:
    note = await log.sealed(COUNT)
    await log.tamper(DELETE.format(50), DELETE.format(50), EDIT.format(5), INSERT.format(20))
    found = await log.verify(tmp_path, note)
    assert [each.partition(":")[0] for each in found] == ["edit", "insertion", "deletion"]
    assert stand_alone(tmp_path) == (1, found)


async def test_a_fork_with_new_tiles_and_new_checkpoints_is_found_out_from_outside(log: AuditLog, tmp_path: Path) -> None:
    """Who has the database and the signing key can make a log that is whole in itself; not one that fits what others have seen."""
    note = await log.sealed(COUNT)
    await log.tamper(EDIT.format(20))
    await run_sql(log.url, "TRUNCATE audit.tile, audit.checkpoint, audit.event", "UPDATE audit.log SET size = 0, xid = '0', position = 0")
    await log.seal()
    assert await log.verify(tmp_path) == []
    found = await log.verify(tmp_path, note)
    assert [each.partition(":")[0] for each in found] == ["fork"]
    assert stand_alone(tmp_path) == (1, found)


async def test_an_older_database_in_its_place_is_found_out_from_outside(log: AuditLog, postgres: PostgresServer, tmp_path: Path) -> None:
    await log.sealed(30)
    await log.ctx.db.close()
    await run_sql(postgres.dsn, "CREATE DATABASE older TEMPLATE sealed")
    try:
        async with audit_log(postgres, "sealed", "newer") as newer:
            note = await newer.sealed(COUNT)
        async with audit_log(postgres, "older", "restored") as restored:
            assert await restored.verify(tmp_path) == []
            found = await restored.verify(tmp_path, note)
            assert [each.partition(":")[0] for each in found] == ["rollback"]
            assert stand_alone(tmp_path) == (1, found)
            await restored.write(COUNT)
            await restored.seal()
            grown = await restored.verify(tmp_path, note)
            assert [each.partition(":")[0] for each in grown] == ["fork"]
    finally:
        await run_sql(postgres.dsn, "DROP DATABASE older")


async def test_a_checkpoint_that_our_key_did_not_sign_is_found_out(log: AuditLog, tmp_path: Path) -> None:
    note = await log.sealed(COUNT)
    forged = note.replace(f"\n{COUNT}\n", f"\n{COUNT - 1}\n")
    found = await log.verify(tmp_path, forged)
    assert [each.partition(":")[0] for each in found] == ["forged"]
    assert stand_alone(tmp_path) == (1, found)


# --- witnesses ----------------------------------------------------------------------------------------------------------------


async def test_a_file_witness_gets_every_size_it_is_shown_once(log: AuditLog, tmp_path: Path) -> None:
    witness = FileWitness(str(tmp_path / "w.txt"))
    await log.sealed(3)
    assert [await show(log.ctx, witness) for _ in range(2)] == [True, False]
    await log.sealed(3)
    await show(log.ctx, witness)
    kept = notes_in((tmp_path / "w.txt").read_text("utf-8"))
    assert [size_of(each) for each in kept] == [3, 6]
    assert await log.verify(tmp_path, "".join(kept)) == []


async def test_a_file_witness_takes_nothing_of_a_log_that_has_shrunk(log: AuditLog, tmp_path: Path) -> None:
    witness = FileWitness(str(tmp_path / "w.txt"))
    smaller = await log.sealed(3)
    await witness.take(await log.sealed(3), 0, [])
    with pytest.raises(SawOther) as saw:
        await witness.take(smaller, 0, [])
    assert saw.value.size == 6
    with pytest.raises(NotTaken):
        await FileWitness(str(tmp_path / "nowhere" / "w.txt")).take(smaller, 0, [])


async def test_an_http_witness_is_asked_with_a_proof_that_it_can_check(log: AuditLog) -> None:
    asked: list[bytes] = []
    seen: dict[str, int] = {"size": 0}

    def cosign(request: httpx.Request) -> httpx.Response:
        asked.append(request.content)
        old = int(request.content.split(b"\n")[0].removeprefix(b"old "))
        if old != seen["size"]:
            return httpx.Response(409, text=f"{seen['size']}\n", headers={"Content-Type": "text/x.tlog.size"})
        seen["size"] = size_of(request.content.decode().partition("\n\n")[2])
        return httpx.Response(200, text="\u2014 witness.example/w AAAA\n")

    witness = HttpWitness("http://witness.example", httpx.MockTransport(cosign))
    await log.sealed(5)
    await show(log.ctx, witness)
    await log.sealed(8)
    await show(log.ctx, witness)
    newest = await store.newest_checkpoint(log.ctx.db)
    assert newest is not None
    tiles = await store.tiles(log.ctx.db, merkle.needed(lambda node: merkle.consistency(5, 13, node)))
    proof = merkle.consistency(5, 13, merkle.node_in(tiles))
    assert asked[-1].decode() == "old 5\n" + "".join(f"{b64encode(each).decode()}\n" for each in proof) + "\n" + newest[1]
    seen["size"] = 9
    await log.sealed(2)
    await show(log.ctx, witness)
    assert asked[-1].startswith(b"old 9\n"), "the witness knows best what it has seen"
    seen["size"] = 99
    await log.sealed(1)
    with pytest.raises(SawOther):
        await show(log.ctx, witness)


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(403), httpx.Response(200, text="x" * 30_000)])
async def test_a_witness_that_refuses_is_told_again_later(log: AuditLog, answer: httpx.Response) -> None:
    await log.sealed(5)
    with pytest.raises(NotTaken):
        await show(log.ctx, HttpWitness("http://witness.example", httpx.MockTransport(lambda _: answer)))
    assert await store.size_witnessed(log.ctx.db, "url http://witness.example") == 0


# --- questions ----------------------------------------------------------------------------------------------------------------


async def test_entries_are_found_by_every_element(log: AuditLog) -> None:
    await log.write(10)
    await log.write(3, role="nurse", purpose="BTG")
    about = log.patients[2]
    outside = log.ctx.acting(log.ctx.actor.at("198.51.100.7"))
    refused = entry(outside, "patients.patient.read", "E", outcome="refused", code="kernel.forbidden", patient_id=about)
    await record(log.ctx.db, refused)
    await log.seal()
    for query, count in (
        (FindAuditEvents(patient_id=about), 4), (FindAuditEvents(agent="front-desk-0"), 4), (FindAuditEvents(role="nurse"), 3),
        (FindAuditEvents(event="patients.patient.read"), 14), (FindAuditEvents(action="E"), 1), (FindAuditEvents(outcome="refused"), 1),
        (FindAuditEvents(purpose="BTG"), 3), (FindAuditEvents(code="kernel.forbidden"), 1), (FindAuditEvents(entity_id=about), 3),
        (FindAuditEvents(until_at=refused.recorded_at), 0), (FindAuditEvents(from_at=refused.recorded_at), 14),
        (FindAuditEvents(role="nurse", patient_id=about), 1), (FindAuditEvents(address="198.51.100.7"), 1),
        (FindAuditEvents(address="198.51.100.70"), 0),
    ):  # fmt: skip
        for sort in ("newest", "agent"):
            asked = FindAuditEvents(**{name: getattr(query, name) for name in query.__struct_fields__} | {"sort": sort})
            assert len((await service.find_events(log.ctx, asked)).items) == count, asked


async def test_who_does_more_than_a_person_does_is_found(log: AuditLog, clock: ManualClock) -> None:
    ctx = dataclasses.replace(log.ctx, clock=clock)
    watching = ctx.acting(msgspec.structs.replace(ctx.actor, permissions=frozenset({"audit.watch"})))

    async def found(at_least: int, what: Literal["patients", "bad_tokens", "wrong_codes"] = "patients") -> list[tuple[str, str, int]]:
        query = FindBusy(what=what, since=clock.now() - timedelta(minutes=1), at_least=at_least)
        return [(one.agent, one.purpose, one.count) for one in await service.find_busy(dataclasses.replace(watching, db=log.ctx.db), query)]

    here = AuditLog(log.url, ctx)
    await here.write(PATIENTS * 3)
    await here.write(2, role="nurse", purpose="BTG")
    await here.write(2, role="nurse", purpose="BTG")
    stranger = ctx.acting(NOBODY)
    for number in range(4):
        code = "kernel.unauthenticated" if number else "kernel.forbidden"
        await record(stranger.db, entry(stranger, "patients.patient.read", "E", outcome="refused", code=code))
    await record(stranger.db, entry(stranger, "access.code.redeem", "E", outcome="refused", code="access.code_not_right"))
    await here.seal()
    assert await found(1, "wrong_codes") == [("unknown", "", 1)]
    assert await found(PATIENTS) == [(f"front-desk-{number}", "TREAT", PATIENTS) for number in range(3)]
    assert await found(PATIENTS + 1) == []
    assert ("nurse-0", "BTG", 1) in await found(1)
    assert await found(3, "bad_tokens") == [("unknown", "", 3)]
    assert await found(4, "bad_tokens") == []
    clock.advance(minutes=2)
    await here.write(1)
    await here.seal()
    assert await found(1) == [("front-desk-0", "TREAT", 1)]
    with pytest.raises(Forbidden):
        await service.find_busy(log.ctx, FindBusy(what="patients", since=clock.now(), at_least=1))


async def test_who_guesses_a_little_at_many_is_found_by_their_address(log: AuditLog, clock: ManualClock) -> None:
    """Wrong codes and wrong passwords together, and nothing else that was refused; what is older is not looked at."""
    ctx = dataclasses.replace(log.ctx, clock=clock)
    watching = dataclasses.replace(ctx, actor=msgspec.structs.replace(ctx.actor, permissions=frozenset({"audit.watch"})))

    async def refused(address: str | None, event: str, code: str) -> None:
        asking = ctx.acting(msgspec.structs.replace(ctx.actor, subject=str(ctx.ids.new()), address=address))
        await record(ctx.db, entry(asking, event, "E", outcome="refused", code=code))

    async def found() -> list[tuple[str, int]]:
        await AuditLog(log.url, ctx).seal()
        query = FindBusy(what="guesses", since=clock.now() - timedelta(minutes=10), at_least=3)
        return [(one.address, one.count) for one in await service.find_busy(watching, query)]

    for address in ("198.51.100.7", "198.51.100.7", "2001:db8::7", None, None, None):
        await refused(address, "access.code.redeem", "access.code_not_right")
    for address in ("198.51.100.7", "203.0.113.9", "203.0.113.9", "203.0.113.9"):
        await refused(address, "patients.patient.read", "kernel.forbidden")
    assert await found() == []
    await refused("198.51.100.7", "identity.sign_in", "kernel.unauthenticated")
    assert await found() == [("198.51.100.7", 3)]
    clock.advance(minutes=11)
    assert await found() == []


async def test_reads_are_gone_through_in_bounded_steps_once_they_have_settled(log: AuditLog, clock: ManualClock) -> None:
    ctx = dataclasses.replace(log.ctx, clock=clock)
    watching = dataclasses.replace(ctx, actor=msgspec.structs.replace(ctx.actor, permissions=frozenset({"audit.watch"})))
    here = AuditLog(log.url, ctx)
    await record(ctx.db, entry(ctx, "patients.patient.register", "C", patient_id=log.patients[0]))
    await here.write(5)
    await record(ctx.db, entry(ctx, "patients.patient.read", "E", outcome="refused", code="kernel.forbidden", patient_id=log.patients[0]))
    await here.seal()
    assert (await service.find_reads(watching, FindReads(before=clock.now()))).place == -1, "nothing was sealed before this moment"
    clock.advance(minutes=1)
    place, seen = -1, []
    for _ in range(4):
        page = await service.find_reads(watching, FindReads(place=place, before=clock.now(), limit=2))
        seen += [one.number for one in page.items]
        place = page.place
    assert (seen, place) == ([1, 2, 3, 4, 5], 6)
    with pytest.raises(Forbidden):
        await service.find_reads(ctx, FindReads(before=clock.now()))


@pytest.mark.parametrize(
    "sort", ["newest", "oldest", "event", "action", "agent", "role", "purpose", "outcome", "code", "patient", "address"]
)
async def test_every_sort_pages_through_all_entries_once_in_its_order(log: AuditLog, sort: str) -> None:
    await log.write(9)
    await log.write(5, role="nurse", purpose="BTG", address="2001:db8::7")
    await log.seal()
    seen: list[AuditEvent] = []
    query = FindAuditEvents(sort=sort, limit=4)  # type: ignore[arg-type]  # the parameter lists the values
    while True:
        page = await service.find_events(log.ctx, query)
        seen += page.items
        if page.next is None:
            break
        query = FindAuditEvents(sort=query.sort, limit=4, after=page.next)
    numbers = [each.number for each in seen]
    assert sorted(numbers) == list(range(14))
    if sort == "newest":
        assert numbers == sorted(numbers, reverse=True)
    else:
        key = "patient_id" if sort == "patient" else sort
        keys = [("" if sort == "oldest" else str(getattr(each, key) or ""), each.number) for each in seen]
        assert keys == sorted(keys)


@pytest.mark.parametrize("after", ["x", "zz.5", "41.-1", "4"])
async def test_a_cursor_that_is_none_is_refused(log: AuditLog, after: str) -> None:
    with pytest.raises(BadInput):
        await service.find_events(log.ctx, FindAuditEvents(sort="newest" if after == "x" else "agent", after=f"{after}."))


async def test_disclosures_leave_treatment_payment_and_operations_out(log: AuditLog) -> None:
    for purpose in ("TREAT", "HPAYMT", "HOPERAT", "HRESCH", "BTG"):
        await log.write(1, purpose=purpose)
    await log.seal()
    page = await service.find_disclosures(log.ctx, FindDisclosures(patient_id=log.patients[0]))
    assert [each.purpose for each in page.items] == ["BTG", "HRESCH"]


async def test_whoever_reads_the_log_is_in_it(log: AuditLog) -> None:
    await log.sealed(3)
    found = (await service.find_events(log.ctx, FindAuditEvents(patient_id=log.patients[0]))).items
    await service.get_event(log.ctx, found[0].id)
    await service.prove_event(log.ctx, found[0].id)
    await service.find_disclosures(log.ctx, FindDisclosures(patient_id=log.patients[0]))
    await log.seal()
    page = await service.find_events(log.ctx, FindAuditEvents(agent="olga", sort="oldest"))
    assert [(each.event, each.patient_id) for each in page.items] == [
        (event, log.patients[0]) for event in ("audit.event.find", "audit.event.read", "audit.event.prove", "audit.disclosure.find")
    ]


async def test_who_may_not_read_the_log_does_not_and_neither_does_another_tenant(log: AuditLog) -> None:
    await log.sealed(3)
    (first, *_) = (await service.find_events(log.ctx, FindAuditEvents())).items
    clerk = log.ctx.acting(log.ctx.actor.__class__(subject="x", organization_id=log.ctx.actor.organization_id, role="front-desk"))
    other = log.ctx.acting(
        log.ctx.actor.__class__(subject="o", organization_id=UUID(int=9), role="privacy-officer", permissions=log.ctx.actor.permissions)
    )
    with pytest.raises(Forbidden):
        await service.find_events(clerk, FindAuditEvents())
    assert (await service.find_events(other, FindAuditEvents())).items == ()
    with pytest.raises(UnknownAuditEvent):
        await service.prove_event(other, first.id)


def test_the_stand_alone_verifier_is_short_and_imports_nothing_of_ours() -> None:
    text = STAND_ALONE.read_text("utf-8")
    assert text.count("\n") < 300
    modules = {line.split()[1].partition(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert modules <= set(sys.stdlib_module_names)


async def test_an_export_says_whose_it_is(log: AuditLog, tmp_path: Path) -> None:
    await log.sealed(3)
    await log.verify(tmp_path)
    about = json.loads((tmp_path / "export" / "log.json").read_text())
    assert about == {"origin": SIGNER.name, "size": 3, "verifier_key": SIGNER.verifier_key}
