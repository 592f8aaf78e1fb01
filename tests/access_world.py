"""What tests of access share: its context with settings of their own, and people who sign in."""

from dataclasses import fields
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec

from carewright.access.context import AccessContext
from carewright.access.service.client_keys import PublishedKeys
from carewright.access.service.provider import IdentityProvider
from carewright.access.settings import AccessSettings
from carewright.contracts.permissions import ALL, SYSTEM
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context
from carewright.kernel.http.outgoing import Outgoing
from tests.servers import Contexts

BINDING = "b" * 32
"""A browser's secret."""
JOURNAL = "SELECT body FROM kernel.audit_entry WHERE organization_id = $1 ORDER BY xid, position"


async def access(
    context: Contexts, client: httpx.AsyncClient | None = None, outgoing: Outgoing | None = None, **given: Any
) -> AccessContext:
    """Access's context, asked by the system within this test's tenant; `client` reaches the identity provider, `outgoing` all others."""
    base, settings = await context("access"), AccessSettings(**given)
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    nowhere = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(404)))
    provider, published = IdentityProvider(settings, base.clock, client or nowhere), PublishedKeys(base.clock, outgoing or Outgoing())
    made = AccessContext(**world, settings=settings, provider=provider, published=published)
    return made.acting(Actor(subject="system", organization_id=context.organization_id, role=SYSTEM, permissions=ALL))


async def recorded(context: Contexts) -> list[tuple[str, str, str]]:
    """(event, outcome, agent) of every audit entry of this tenant, in order, read as the superuser: no module may."""
    connection = await asyncpg.connect(context.pools.url)
    try:
        rows = await connection.fetch(JOURNAL, context.organization_id)
    finally:
        await connection.close()
    entries = [msgspec.json.decode(row["body"]) for row in rows]
    return [(one["event"], one.get("outcome", "success"), one["agent"]) for one in entries]


def staff(context: Contexts, role: str, subject: str = "tester", **more: Any) -> Actor:
    """A member of staff who signed in a moment ago."""
    return msgspec.structs.replace(context.actor(role, subject=subject), authenticated_at=context.clock.now(), **more)


def patient_actor(context: Contexts, patient_id: UUID) -> Actor:
    return context.actor("patient", subject=f"patient/{patient_id}", patient_id=patient_id)
