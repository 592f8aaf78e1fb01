"""Other systems: registering them, and changing the keys by which they prove themselves."""

from urllib.parse import urlsplit
from uuid import UUID

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import apps
from carewright.access.model.assertion import is_usable, may_register
from carewright.access.model.sessions import CLIENT_ROLE
from carewright.contracts.access import AccountChanged, KeysNotUsable, RedirectNotUsable, ScopeNotAllowed, UnknownClient
from carewright.contracts.callers import IssuerTaken
from carewright.contracts.clients import ChangeClientKeys, Client, ClientsPage, RegisterClient
from carewright.contracts.permissions import ROLES
from carewright.kernel import audit, outbox
from carewright.kernel.authz import Actor
from carewright.kernel.http.outgoing import AddressRefused, parsed
from carewright.kernel.idempotency import once, remember

MANAGE = "access.client.manage"
RESOLVE = "access.session.resolve"
CLIENTS_SHOWN_MAX = 200
REDIRECTS_READ_MAX = 10_000
PORTS = {"https": 443, "http": 80}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


async def register_client(ctx: AccessContext, command: RegisterClient) -> Client:
    """A new client, who may ask for tokens at once, or an app that people may let in from now on.

    A client's scopes are permissions of the role of integrations, or SMART's `system/…`; an app's SMART's `patient/…`, `user/…` and words.
    Raises `StepUpNeeded`, `ScopeNotAllowed`, `RedirectNotUsable`, `KeysNotUsable`, `IssuerTaken`.
    """
    ctx.actor.require(MANAGE)
    ctx.require_recent()
    may_have = apps.may_register if command.redirect_uris else may_register
    if not all(may_have(scope) for scope in command.scopes):
        raise ScopeNotAllowed
    if not all(is_redirect(each) for each in (*command.redirect_uris, *filter(None, [command.launch_uri]))):
        raise RedirectNotUsable
    if command.launch_uri and not command.redirect_uris:
        raise RedirectNotUsable
    _ensure_keys(command, may_lack=bool(command.redirect_uris))
    return await once(ctx, Client, lambda: _registered(ctx, command))


async def _registered(ctx: AccessContext, command: RegisterClient) -> Client:
    organization_id = ctx.actor.organization_id
    made = Client(
        id=ctx.ids.new(), name=command.name, scopes=tuple(dict.fromkeys(command.scopes)), keys=command.keys,
        keys_address=command.keys_address, issuer=command.issuer, site_ids=command.site_ids, redirect_uris=command.redirect_uris,
        launch_uri=command.launch_uri,         created_at=ctx.clock.now(),
    )  # fmt: skip
    async with ctx.db.transaction() as tx:
        if not await store.insert_client(tx, organization_id, made):
            raise IssuerTaken
        await audit.record(tx, audit.entry(ctx, "access.client.create", "C", entities=(_entity(made),)))
        await outbox.publish(ctx, tx, AccountChanged(organization_id=organization_id, account_id=made.id, role=CLIENT_ROLE, disabled=False))
        await remember(ctx, tx, made)
    ctx.wake()
    return made


async def list_clients(ctx: AccessContext) -> ClientsPage:
    """Every client, in the order in which they were made."""
    ctx.actor.require(MANAGE)
    return ClientsPage(items=await store.clients(ctx.db, ctx.actor.organization_id, CLIENTS_SHOWN_MAX))


async def actor_of_client(ctx: AccessContext, client_id: UUID) -> Actor | None:
    """Whom a client is that proved itself to a rim by its certificate; None for one that is disabled, or that nobody registered."""
    ctx.actor.require(RESOLVE)
    known = await store.client_by_id(ctx.db, client_id)
    return None if known is None or known.disabled else speaking_for(known)


async def app_origins(ctx: AccessContext) -> tuple[str, ...]:
    """The origins of the pages of apps, as browsers write them: their scripts may read what apps may."""
    ctx.actor.require(RESOLVE)
    return tuple({origin_of(each) for each in await store.redirect_uris(ctx.db, REDIRECTS_READ_MAX)})


def speaking_for(known: store.KnownClient) -> Actor:
    """A client that has proved itself, with those of its scopes that are permissions."""
    return Actor(
        subject=known.owner.subject, organization_id=known.organization_id, role=known.owner.role,
        permissions=ROLES[CLIENT_ROLE].intersection(known.client.scopes), site_ids=frozenset(known.owner.site_ids),
    )  # fmt: skip


async def change_client_keys(ctx: AccessContext, command: ChangeClientKeys) -> Client:
    """Other keys for a client. Whoever came by the former ones is out at once. Raises `StepUpNeeded`, `KeysNotUsable`, `UnknownClient`."""
    ctx.actor.require(MANAGE)
    ctx.require_recent()
    _ensure_keys(command)
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    async with ctx.db.transaction() as tx:
        if not await store.change_client_keys(tx, organization_id, command):
            raise UnknownClient
        await store.end_sessions_of_account(tx, organization_id, command.client_id, now, "keys-changed")
        found = await store.client_by_id(tx, command.client_id)
        if found is None:
            raise UnknownClient
        await audit.record(tx, audit.entry(ctx, "access.client.change_keys", "U", entities=(_entity(found.client),)))
    ctx.wake()
    return found.client


def is_redirect(address: str) -> bool:
    """Whether people may be sent to an address: HTTPS, or HTTP on their own machine, no fragment (RFC 6749, 3.1.2; RFC 8252, 7.3)."""
    try:
        parts = urlsplit(address)
        hosted = parts.hostname and parts.username is None and (parts.port or True)
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    return bool(hosted and safe) and "#" not in address and address.isascii() and address.isprintable() and " " not in address


def origin_of(redirect_uri: str) -> str:
    """The origin of an address as browsers write it: in lower case, without the port that its scheme has anyway (RFC 6454, 6.2)."""
    parts = urlsplit(redirect_uri)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" if parts.port in (None, PORTS[parts.scheme]) else f"{parts.scheme}://{host}:{parts.port}"


def _ensure_keys(command: RegisterClient | ChangeClientKeys, *, may_lack: bool = False) -> None:
    """Raise `KeysNotUsable` unless there are either good keys under names of their own, or an address that we would ask, or may be none."""
    ids = {key.kid for key in command.keys}
    good = len(ids) == len(command.keys) and all(is_usable(key) for key in command.keys)
    named = bool(command.keys) + (command.keys_address is not None)
    if not good or named > 1 or (named == 0 and not may_lack):
        raise KeysNotUsable
    if command.keys_address is not None:
        try:
            parsed(command.keys_address)
        except AddressRefused as fault:
            raise KeysNotUsable from fault


def _entity(client: Client) -> audit.Entity:
    return audit.Entity(type="Client", id=client.id)
