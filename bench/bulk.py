"""Bulk Data's export as the rim makes it: every file of one export, page after page, as NDJSON. Each page leaves its audit entries."""

import time
from typing import Any

from bench.patients import people
from bench.search import store_appointments
from bench.world import ORGANIZATION, Ground, context_of, system
from carewright.fhir.context import FhirContext
from carewright.fhir.model.exports import Wish
from carewright.fhir.service import exporting
from carewright.kernel import migrate
from carewright.kernel.memory import set_aside
from carewright.patients.service import records as service

APPOINTMENTS = 50_000
PEOPLE = 20_000


async def measure(ground: Ground, told: Any) -> list[dict[str, Any]]:
    """A row for each type: how many resources, how many in a second, and how large they are."""
    dsn = await ground.database("bulk")
    async with system(ground, dsn) as started:
        told(f"bulk: storing {APPOINTMENTS:,} appointments and {PEOPLE:,} patients")
        await store_appointments(dsn, context_of(started), APPOINTMENTS)
        client = started.tokens.actor("integration", "bench", ORGANIZATION)
        records = started.context("patients").acting(client)
        async with records.db.transaction() as tx:
            await service.bulk_load(records, tx, people(PEOPLE))
        await migrate.refresh_statistics(dsn)
        set_aside()  # as a server does
        ctx: FhirContext = started.context("fhir").acting(client)
        return [await _exported(ctx, kind) for kind in ("Appointment", "Patient")]


async def _exported(ctx: FhirContext, kind: str) -> dict[str, Any]:
    export = await exporting.start_export(ctx, "system", Wish(kinds=(kind,)), "bench", lenient=False)
    lines = octets = 0
    began, used = time.perf_counter(), time.process_time()
    for piece in await exporting.pieces_of(ctx, export):
        async for page in exporting.lines_of(ctx, export, piece):
            lines += page.count(b"\n")
            octets += len(page)
    seconds = time.perf_counter() - began
    taken = {"a second": lines / seconds, "seconds": seconds, "our CPU s": time.process_time() - used}
    return {"type": kind, "resources": lines, "MB": octets / 1e6} | taken
