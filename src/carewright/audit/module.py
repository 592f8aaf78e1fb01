"""The audit module's wiring."""

from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

from carewright.audit import service
from carewright.audit.context import AuditContext
from carewright.audit.http import ROUTES
from carewright.audit.jobs import Sealing
from carewright.audit.settings import AuditSettings
from carewright.audit.witness.chosen import witnesses_of
from carewright.contracts.audit import (
    AuditEvent,
    AuditEventsPage,
    AuditTrail,
    Busy,
    FindAuditEvents,
    FindBusy,
    FindDisclosures,
    FindReads,
    InclusionProof,
    ReadsPage,
)
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.modules import Module, Running
from carewright.kernel.notes import Signer
from carewright.kernel.settings import StartFailed


class LocalAuditTrail:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: AuditContext) -> None:
        self._context = context

    async def find_events(self, actor: Actor, query: FindAuditEvents) -> AuditEventsPage:
        return await service.find_events(self._context.acting(actor), query)

    async def get_event(self, actor: Actor, event_id: UUID) -> AuditEvent:
        return await service.get_event(self._context.acting(actor), event_id)

    async def find_disclosures(self, actor: Actor, query: FindDisclosures) -> AuditEventsPage:
        return await service.find_disclosures(self._context.acting(actor), query)

    async def prove_event(self, actor: Actor, event_id: UUID) -> InclusionProof:
        return await service.prove_event(self._context.acting(actor), event_id)

    async def find_busy(self, actor: Actor, query: FindBusy) -> tuple[Busy, ...]:
        """Of every tenant: the system alone asks, which looks for what no tenant would see."""
        return await service.find_busy(replace(self._context, actor=actor), query)

    async def find_reads(self, actor: Actor, query: FindReads) -> ReadsPage:
        """Of every tenant, as `find_busy`."""
        return await service.find_reads(replace(self._context, actor=actor), query)


async def start(base: Context, settings: AuditSettings, resolve: Callable[[type], Any]) -> Running:
    """A process that serves must be able to sign; a command that only looks need not."""
    signer = Signer.of_file(settings.origin, settings.signing_key_file) if settings.signing_key_file else None
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    witnesses = witnesses_of(settings, base.clock, resolve(Outgoing))
    context = AuditContext(**world, settings=settings, signer=signer, witnesses=witnesses)
    return Running(context, {AuditTrail: LocalAuditTrail(context)}, follow=_sealing(context))


def _sealing(context: AuditContext) -> Callable[[], Awaitable[None]]:
    def follow() -> Awaitable[None]:
        if context.signer is None:
            raise StartFailed("There is no key to sign the audit log with. Set CAREWRIGHT_AUDIT_SIGNING_KEY_FILE, or use `carewright up`.")
        return Sealing(context, context.settings, context.signer, context.witnesses).run()

    return follow


MODULE = Module(
    name="audit",
    start=start,
    settings=AuditSettings,
    offers=(AuditTrail,),
    routes=ROUTES,
    prefixes=("/api/v1/audit",),
)
