"""What the audit log costs, and how quick it is: a booking with and without its entry, the delay of a checkpoint, a proof, verification."""

import asyncio
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.booking import Ours
from bench.world import ORGANIZATION, Ground, clinic, context_of, system
from carewright.audit import checks, service, store
from carewright.audit.context import AuditContext
from carewright.audit.jobs import Sealing, seal_all
from carewright.kernel.audit import entry, record
from carewright.kernel.memory import set_aside
from carewright.kernel.notes import Signer
from carewright.kernel.sql import Query
from carewright.scheduling.store import Q

CLIENTS = 8
PEOPLE = 32
WRITERS = 32
ROUNDS = 5
SECONDS = 3.0
DELAYS = 20
ENTRIES = 200_000
PROOFS = 200
SIGNER = Signer("carewright/audit", bytes(32))
WITH_ENTRY = Q.book_appointment
WRITES_ENTRY = (
    "INSERT INTO kernel.audit_entry (organization_id, id, patient_id, body) SELECT $1, $25, $9, $26 FROM got WHERE got.everything"
)
COMMIT = Query("bench.commit", "SELECT pg_logical_emit_message(true, 'bench', 'a few bytes')")
STAND_ALONE = Path(__file__).parent.parent / "tools" / "verify_audit.py"


async def measure(ground: Ground, told: Any) -> list[dict[str, Any]]:
    """A row for each figure."""
    dsn = await ground.database("audit")
    rows = []
    async with system(ground, dsn) as started:
        await clinic(started, PEOPLE, PEOPLE)
        rows += await _bookings(context_of(started), told)
        base: AuditContext = started.context("audit")
        told("entries by themselves")
        rows += [await _written(base, 1), await _written(base, 10), await _committed(base)]
        await seal_all(base, SIGNER)
        told("the delay of a checkpoint")
        rows.append(await _delay(base))
        told(f"proofs and verification of {ENTRIES:,} entries")
        await base.db.execute(Query("bench.entries", FILL), ORGANIZATION, ENTRIES)
        rows += await _sealed(base, ground.data / "export")
    return rows


FILL = """
    INSERT INTO kernel.audit_entry (organization_id, id, patient_id, body)
    SELECT $1::uuid, id, patient, json_build_object('id', id, 'recorded_at', now(), 'organization_id', $1::uuid,
        'event', 'patients.patient.read', 'action', 'R', 'agent', 'bench', 'role', 'nurse', 'purpose', 'TREAT', 'patient_id', patient)::text
    FROM (SELECT gen_random_uuid() AS id, gen_random_uuid() AS patient FROM generate_series(1, $2::int)) made
"""


async def _bookings(context: Any, told: Any) -> list[dict[str, Any]]:
    """Rounds with and without take turns. Without, the same numbers are sent and the entry is not written."""
    calendars = await context.calendars()
    set_aside()
    ours = Ours(context, calendars.index.horizon.origin + timedelta(days=2), PEOPLE)
    without = Query(WITH_ENTRY.name, WITH_ENTRY.text.replace(WRITES_ENTRY, "SELECT $25::uuid, $26::text"))
    if without.text == WITH_ENTRY.text:
        raise RuntimeError("the booking statement has changed: this bench does not know where it writes the entry")
    rates: dict[str, list[float]] = {"without": [], "with": []}
    statements = {"without": without, "with": WITH_ENTRY}
    try:
        for number in range(ROUNDS):
            for name, statement in statements.items():
                told(f"bookings {name} an entry, round {number + 1} of {ROUNDS}")
                Q._by_name["book_appointment"] = statement  # noqa: SLF001  (the bench alone sends another statement)
                await ours.run(CLIENTS, 0.5)
                rates[name].append((await ours.run(CLIENTS, SECONDS))[0])
    finally:
        Q._by_name["book_appointment"] = WITH_ENTRY  # noqa: SLF001  (the bench alone sends another statement)
    plain, audited = statistics.median(rates["without"]), statistics.median(rates["with"])
    return [
        {"what": "a booking without its entry, ms", "measured": 1e3 * CLIENTS / plain},
        {"what": "a booking with its entry, ms", "measured": 1e3 * CLIENTS / audited},
        {"what": "more, %", "measured": 100 * (plain / audited - 1), "wanted": "≤ 15"},
    ]


async def _written(base: AuditContext, each: int) -> dict[str, Any]:
    """Entries a second when nothing but entries is written: how far the log is from being what limits the writes that it tells of."""
    rate = await _rate(lambda: record(base.db, *(entry(base, "exam.room.read", "R") for _ in range(each))))
    return {"what": f"entries written a second, {each} to a commit, {WRITERS} writers", "measured": each * rate, "wanted": "≥ 3,000"}


async def _committed(base: AuditContext) -> dict[str, Any]:
    """What one entry to a commit cannot surpass on this machine, whatever the entry costs."""
    rate = await _rate(lambda: base.db.execute(COMMIT))
    return {"what": f"the bound: commits of a few bytes a second, {WRITERS} writers", "measured": rate}


async def _rate(write: Callable[[], Awaitable[object]]) -> float:
    """How often a second all writers together do `write`."""
    until, times = time.perf_counter() + SECONDS, 0

    async def go_on() -> None:
        nonlocal times
        while time.perf_counter() < until:
            await write()
            times += 1

    began = time.perf_counter()
    await asyncio.gather(*(go_on() for _ in range(WRITERS)))
    return times / (time.perf_counter() - began)


async def _delay(base: AuditContext) -> dict[str, Any]:
    """From the commit of an entry to the signed checkpoint that covers it."""
    sealing = asyncio.ensure_future(Sealing(base, base.settings, SIGNER).run())
    delays = []
    try:
        for _ in range(DELAYS):
            await asyncio.sleep(random.random())
            deed = entry(base, "exam.room.read", "R")
            await record(base.db, deed)
            began = time.perf_counter()
            while await store.event_by_id(base.db, deed.organization_id, deed.id) is None:  # noqa: ASYNC110  (another task seals)
                await asyncio.sleep(0.005)
            delays.append(time.perf_counter() - began)
    finally:
        sealing.cancel()
        await asyncio.gather(sealing, return_exceptions=True)
    return {"what": f"commit to signed checkpoint, longest of {DELAYS}, s", "measured": max(delays), "wanted": "≤ 2"}


async def _sealed(base: AuditContext, folder: Path) -> list[dict[str, Any]]:
    began = time.perf_counter()
    sealed = await seal_all(base, SIGNER)
    rate = sealed / (time.perf_counter() - began)
    checks.ensure_folder(folder)
    await checks.export(base, folder)
    began = time.perf_counter()
    found = checks.verify(folder, SIGNER.verifier_key, [])
    ours = sealed / (time.perf_counter() - began)
    began = time.perf_counter()
    command = [sys.executable, "-I", str(STAND_ALONE), str(folder), "--key", SIGNER.verifier_key]
    alone = await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True, text=True)
    theirs = sealed / (time.perf_counter() - began)
    if found or alone.returncode:
        raise RuntimeError(f"the log of the bench does not verify: {found}, {alone.stdout}")
    middle, longest = await _proofs(base)
    return [
        {"what": "inclusion proof, p50, ms", "measured": middle, "wanted": "≤ 20"},
        {"what": f"inclusion proof, longest of {PROOFS}, ms", "measured": longest},
        {"what": "entries sealed a second", "measured": rate},
        {"what": "entries verified a second", "measured": ours, "wanted": "≥ 200,000"},
        {"what": "by the stand-alone verifier, with its start", "measured": theirs, "wanted": "≥ 200,000"},
    ]


async def _proofs(base: AuditContext) -> tuple[float, float]:
    """Milliseconds of a proof, its reading and its own entry included: the median and the longest."""
    rows = await base.db.fetch(
        Query("bench.ids", "SELECT id FROM audit.event WHERE organization_id = $1 ORDER BY id LIMIT 200"), ORGANIZATION
    )
    officer = base.acting(
        base.actor.__class__(subject="bench", organization_id=ORGANIZATION, role="x", permissions=frozenset({"audit.read"}))
    )
    await service.prove_event(officer, rows[0]["id"])
    took = []
    for row in rows:
        began = time.perf_counter()
        await service.prove_event(officer, row["id"])
        took.append(1e3 * (time.perf_counter() - began))
    return statistics.median(took), max(took)
