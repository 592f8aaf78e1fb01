"""`carewright audit`: export of the sealed log, verification of all of it, and who was turned away unknown."""

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from carewright.audit import checks, service
from carewright.audit.context import AuditContext
from carewright.audit.witness.bucket import BucketWitness
from carewright.contracts.audit import AuditEvent, FindAuditEvents
from carewright.kernel.clock import SystemClock
from carewright.kernel.settings import StartFailed
from carewright.roles.lifecycle import NOBODY, running
from carewright.roles.registry import MODULES


async def export(sections: Mapping[str, Any], folder: Path) -> str:
    """Write the sealed log into `folder`; what was written, in a sentence."""
    checks.ensure_folder(folder)
    async with _context(sections) as ctx:
        about = await checks.export(ctx, folder)
    return f"{about.size} entries in {folder}"


async def verify(sections: Mapping[str, Any], outside: Sequence[Path], key: str | None, told: Callable[[str], None]) -> list[str]:
    """Findings in plain sentences; an empty list means that nobody changed anything since it was sealed.

    Where a bucket is set as a witness, every checkpoint in it is read. Raises `Unavailable` when it cannot be.
    Outside checkpoints are read before the log, as `checks.export` says.
    """
    clock = SystemClock()
    notes = [note for path in outside for note in checks.notes_of_file(path)]
    with tempfile.TemporaryDirectory(prefix="carewright-audit-") as folder:
        async with _context(sections) as ctx:
            for bucket in (each for each in ctx.witnesses if isinstance(each, BucketWitness)):
                kept = await bucket.kept()
                notes += [checks.Note(where, where, note) for where, note in kept]
                told(f"read {len(kept)} checkpoints in {bucket.name}")
            about = await checks.export(ctx, Path(folder))
        began = clock.monotonic_seconds()
        findings = checks.verify(Path(folder), key, notes)
        seconds = max(clock.monotonic_seconds() - began, 1e-6)
        told(f"verified {about.size} entries in {seconds:.1f} s, {about.size / seconds:,.0f} a second")
    return findings


async def verifier_key(sections: Mapping[str, Any]) -> str:
    """What others need to verify the log's checkpoints."""
    async with _context(sections) as ctx:
        if ctx.signer is None:
            raise StartFailed("There is no key. Set CAREWRIGHT_AUDIT_SIGNING_KEY_FILE.")
        return ctx.signer.verifier_key


async def unknown(sections: Mapping[str, Any], limit: int) -> list[str]:
    """Who was turned away before anybody knew who they are, newest first, a line each. Such entries belong to no organization."""
    async with _context(sections) as ctx:
        page = await service.find_events(ctx.acting(NOBODY), FindAuditEvents(outcome="refused", limit=limit))
    return [_line(each) for each in page.items]


def _line(event: AuditEvent) -> str:
    parts = (f"{event.recorded_at:%Y-%m-%d %H:%M:%S}", event.address or "unknown", event.event, event.code or "-", event.trace or "")
    return "{:<20} {:<15} {:<40} {:<28} {}".format(*parts).rstrip()


@asynccontextmanager
async def _context(sections: Mapping[str, Any]) -> AsyncIterator[AuditContext]:
    async with running([module for module in MODULES if module.name == "audit"], sections) as system:
        context: AuditContext = system.context("audit")
        yield context
