"""Other systems that may ask for tokens, from the command line: `carewright client`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from carewright.access.model.assertion import keys_published
from carewright.contracts.access import Access
from carewright.contracts.clients import ChangeClientKeys, Client, PublicKey, RegisterClient
from carewright.kernel.authz import Actor
from carewright.kernel.clock import SystemClock
from carewright.kernel.settings import StartFailed
from carewright.roles.lifecycle import running
from carewright.roles.registry import MODULES


async def register(sections: Mapping[str, Any], organization_id: UUID, command: RegisterClient) -> Client:
    async with asking(sections, organization_id) as (access, actor):
        return await access.register_client(actor, command)


async def listed(sections: Mapping[str, Any], organization_id: UUID) -> Sequence[Client]:
    async with asking(sections, organization_id) as (access, actor):
        return (await access.list_clients(actor)).items


async def change_keys(sections: Mapping[str, Any], organization_id: UUID, command: ChangeClientKeys) -> Client:
    async with asking(sections, organization_id) as (access, actor):
        return await access.change_client_keys(actor, command)


async def set_disabled(sections: Mapping[str, Any], organization_id: UUID, client_id: UUID, *, disabled: bool) -> None:
    """Shut a client out, or let it in again. Its tokens are good for nothing within two seconds."""
    async with asking(sections, organization_id) as (access, actor):
        await (access.disable_account if disabled else access.enable_account)(actor, client_id)


def keys_in(file: Path) -> tuple[PublicKey, ...]:
    """The public keys of a JWK set in a file. Raises `StartFailed` where there are none that are good."""
    try:
        document = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError) as fault:
        raise StartFailed(f"{file} cannot be read as JSON.") from fault
    keys = keys_published(document) if isinstance(document, dict) else ()
    if not keys:
        raise StartFailed(f"{file} holds no public key of RSA (2,048 bits at least) or P-384 with an id (a JWK set: {{'keys': […]}}).")
    return keys


def line_of(client: Client) -> str:
    """One line for the terminal."""
    keys = client.keys_address or " ".join(key.kid for key in client.keys) or "no keys"
    return f"{client.id} {'disabled' if client.disabled else 'enabled '} {client.name}: {' '.join(client.scopes)} ({keys})"


@asynccontextmanager
async def asking(sections: Mapping[str, Any], organization_id: UUID) -> AsyncIterator[tuple[Access, Actor]]:
    """Access, and whoever sits at the machine as an administrator: they have the keys in their hands already."""
    async with running([module for module in MODULES if module.name == "access"], sections) as system:
        actor = system.tokens.actor("administrator", "command-line", organization_id)
        yield system.offer(Access), msgspec.structs.replace(actor, authenticated_at=SystemClock().now())
