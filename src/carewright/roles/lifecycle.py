"""One process: start its modules in order, serve, and on SIGTERM drain and stop in reverse."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from carewright.contracts.access import Access
from carewright.contracts.deeds import event_of
from carewright.contracts.flow import Sensors
from carewright.contracts.permissions import ALL, BREAK_GLASS, ROLES, SYSTEM
from carewright.kernel import jobs, restraint_table, telemetry, valkey
from carewright.kernel.authz import DEVICE_PREFIX, Actor, Bearers, Tokens
from carewright.kernel.clock import SystemClock
from carewright.kernel.context import Context
from carewright.kernel.db import Database
from carewright.kernel.errors import Unavailable
from carewright.kernel.feed import Feed
from carewright.kernel.housekeeping import HOUSEKEEPING
from carewright.kernel.http import app
from carewright.kernel.http.cross_origin import CrossOrigin
from carewright.kernel.http.gate import Gate
from carewright.kernel.http.outgoing import Outgoing, outgoing_of
from carewright.kernel.http.server import listen
from carewright.kernel.http.server import serve as serve_http
from carewright.kernel.http.settings import EdgeSettings
from carewright.kernel.http.tls import Files, ListenerTls, ensure_listener
from carewright.kernel.ids import Ids
from carewright.kernel.limits import Limits
from carewright.kernel.memory import set_aside
from carewright.kernel.migrate import pending, role_of
from carewright.kernel.modules import Module, Running
from carewright.kernel.restraints import Restraints
from carewright.kernel.rng import new_origin, new_rng
from carewright.kernel.sealed import Sealer
from carewright.kernel.settings import StartFailed
from carewright.kernel.sql import load
from carewright.kernel.together import Together
from carewright.kernel.token_keys import TokenKeys
from carewright.kernel.transport import ensure_encrypted_cache, is_here
from carewright.kernel.wake import Wake
from carewright.roles.keys import vault_of
from carewright.roles.local import Audited, ThroughJson
from carewright.roles.registry import CAREFUL, MODULES, SCHEMAS
from carewright.roles.relay import Relay
from carewright.roles.remote import Remote, new_client, served
from carewright.roles.settings import SystemSettings

Q = load("carewright.kernel")
CLOCK_SECONDS = 30.0
READY_POLL_SECONDS = 0.1
CANCEL_AGAIN_SECONDS = 1.0
FEED_CONNECTIONS = 2
LEAVE_SECONDS_MAX = 30.0
"""A process whose background work broke is gone by then, whatever holds it."""
NOBODY = Actor(subject="system", organization_id=UUID(int=0), role=SYSTEM, permissions=ALL)
log = telemetry.logger(__name__)


@dataclass(slots=True)
class System:
    """The running modules of one process."""

    settings: SystemSettings
    edge: EdgeSettings
    keys: TokenKeys
    restraints: Restraints
    tokens: Tokens
    bearers: Bearers
    cross_origin: CrossOrigin
    wake: Wake
    limits: Limits
    gate: Gate
    feed: Feed
    tls: ListenerTls | None
    running: dict[str, Running] = field(default_factory=dict)
    relays: dict[str, Relay] = field(default_factory=dict)
    offers: dict[type, Any] = field(default_factory=dict)

    def context(self, module: str) -> Any:
        """The context of a running module."""
        return self.running[module].context

    def offer(self, protocol: type) -> Any:
        """What answers a Protocol here."""
        return self.offers[protocol]

    async def catch_up(self, organization_id: UUID) -> None:
        """Have the modules here handle what they need at once of the joint transaction around."""
        for relay in self.relays.values():
            await relay.catch_up(organization_id)


@asynccontextmanager
async def running(modules: Sequence[Module], sections: Mapping[str, Any]) -> AsyncIterator[System]:
    """Start `modules` in order and yield them; stop them in reverse. Nothing works in the background yet: see `background`."""
    settings: SystemSettings = sections["system"]
    clock, wake, origin = SystemClock(), Wake(), new_origin()
    keys, limits = TokenKeys.of_file(Path(settings.token_key_file)), Limits()
    restraints = Restraints()
    tokens = Tokens(keys, clock, ROLES | {SYSTEM: ALL}, BREAK_GLASS, restraints)
    bearers = Bearers(tokens, clock, lambda token: _owner(resolve, token))
    shared = {path: whom for module in modules for path, whom in module.shared.items()}
    cross_origin = CrossOrigin(shared, clock, lambda: _app_origins(resolve))
    edge: EdgeSettings = sections["edge"]
    gate = Gate(edge, limits, keys.secrets(clock.now())[-1], CAREFUL)
    files = Files.of(edge)
    tls, outgoing = ListenerTls(files) if files else None, outgoing_of(edge, restraints)
    feed = Feed(
        [shown for module in MODULES for shown in module.shown], lambda: _system_database(settings), wake, clock,
        lambda organization_id, ids: _standing(resolve, organization_id, ids), restraints.holds_client,
    )  # fmt: skip
    offers = {TokenKeys: keys, Tokens: tokens, Bearers: bearers, Sealer: Sealer(keys, clock), Outgoing: outgoing, Feed: feed}
    system = System(settings, edge, keys, restraints, tokens, bearers, cross_origin, wake, limits, gate, feed, tls, offers=offers)
    system.offers[Together] = Together(system.offers.__contains__, system.catch_up)
    vault = vault_of(sections, clock, outgoing.reaching)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(outgoing.close)
        peers = peers_of(settings, edge)
        resolve = _resolver(system, peers, await stack.enter_async_context(new_client(tls.calling if tls else None)))
        for module in modules:
            db = await _database(module, settings, sections[module.name])
            stack.push_async_callback(db.close)
            await _tell_time(clock, db)
            if not system.running:
                await vault.ensure_opens(db)
                await restraint_table.look(restraints, db, clock.now())
            base = Context(actor=NOBODY, clock=clock, ids=Ids(clock), rng=new_rng(), db=db, wake=wake, vault=vault, origin=origin)
            started = _audited(await module.start(base, sections[module.name], resolve))
            if started.stop is not None:
                stack.push_async_callback(started.stop)
            system.running[module.name] = started
            system.offers |= {
                protocol: ThroughJson(protocol, offer) if settings.json_everywhere else offer for protocol, offer in started.offers.items()
            }
            if module.subscriptions:
                system.relays[module.name] = Relay(module, started.context)
        yield system


def background(system: System, modules: Sequence[Module]) -> list[Awaitable[None]]:
    """What a serving process does besides answering: relays, jobs and timers, live copies, the clock, keys, what is held back, wake-ups."""
    work: list[Awaitable[None]] = []
    for module in modules:
        started = system.running[module.name]
        if module.subscriptions:
            work.append(system.relays[module.name].run())
        if module.jobs or module.timers:
            work.append(jobs.work(started.context, module.jobs, module.timers))
        if started.follow is not None:
            work.append(started.follow())
    any_context: Context = next(iter(system.running.values())).context
    work.append(jobs.work(any_context, (), (HOUSEKEEPING,)))
    work.append(_keep_time(any_context))
    work.append(system.feed.follow())
    work.append(system.keys.follow())
    work.append(restraint_table.follow(system.restraints, any_context.db, any_context.clock))
    if system.settings.valkey_url:
        work.append(valkey.carry(system.wake, system.settings.valkey_url, any_context.origin.bytes))
        work.append(valkey.share_limits(system.limits, system.settings.valkey_url))
    if system.tls is not None:
        work.append(system.tls.follow())
    return work


async def serve(modules: Sequence[Module], sections: Mapping[str, Any]) -> None:
    """Run one process until SIGTERM or SIGINT. Raises `StartFailed` when it cannot start."""
    settings: SystemSettings = sections["system"]
    if settings.valkey_url:
        valkey.ensure_valid(settings.valkey_url)
        ensure_encrypted_cache(settings.valkey_url)
    ensure_listener(settings.host, sections["edge"])
    listener = listen(settings.host, settings.port)
    await _ensure_migrated(settings)
    async with running(modules, sections) as system:
        health = app.Health(
            roles={module.name: list(module.prefixes) for module in modules},
            ready={name: started.ready for name, started in system.running.items()},
        )
        tasks = [_kept(work) for work in (*background(system, modules), _warmed_when_ready(system, health))]
        log.info("serving", roles=list(health.roles), socket=f"{settings.host}:{listener.getsockname()[1]}")
        try:
            await serve_http(
                asgi(system, modules, health), listener, health,
                drain_seconds=settings.drain_seconds, stop_seconds_max=settings.stop_seconds_max, tls=system.tls,
                leaving=system.feed.end,
            )  # fmt: skip
        finally:
            await _end(tasks)


def asgi(system: System, modules: Sequence[Module], health: app.Health) -> Any:
    """The web application of these modules: their routes, their pages, and their Protocols for other processes."""
    routes = [(route, system.running[module.name].context) for module in modules for route in module.routes]
    served_here = (system.running[module.name] for module in modules)
    doors: list[Any] = [
        door
        for started in served_here
        for protocol, offer in started.offers.items()
        for door in served(protocol, offer, system.tokens, started.context)
    ]
    for module in modules:
        doors += module.pages(system.running[module.name].context) if module.pages else ()
    return app.build(
        routes, doors, system.bearers, health, [route for module in MODULES for route in module.routes], system.gate, event_of,
        speaking={prefix: say for module in modules for prefix, say in module.speaking.items()},
        priorities={address: priority for module in modules for address, priority in module.priorities.items()},
        cross_origin=system.cross_origin, under_one_name=system.edge.localhost,
    )  # fmt: skip


async def _database(module: Module, settings: SystemSettings, section: Any) -> Database:
    size = getattr(section, "pool_connections", settings.pool_connections)
    try:
        return await Database.connect(settings.database_url, role_of(module.name if module.has_tables else "kernel"), size)
    except Unavailable as fault:
        raise StartFailed("The database cannot be reached. Check CAREWRIGHT_SYSTEM_DATABASE_URL and that the server is up.") from fault
    except ValueError as fault:
        raise StartFailed("The database URL is not valid. It looks like postgresql://user:password@host:5432/name.") from fault


async def _system_database(settings: SystemSettings) -> Database:
    """For the feed: one connection that follows the log, and one to read back on."""
    return await Database.connect(settings.database_url, role_of("kernel"), FEED_CONNECTIONS)


async def _ensure_migrated(settings: SystemSettings) -> None:
    missing = await pending(settings.database_url, SCHEMAS)
    if any(migration.phase == "pre" for migration in missing):
        raise StartFailed(f"The database lacks {len(missing)} migrations. Run `carewright migrate` first.")


def _audited(started: Running) -> Running:
    """The module with what it offers wrapped, so that nobody is turned away unnoticed."""
    offers = {protocol: Audited(protocol, offer, started.context) for protocol, offer in started.offers.items()}
    return replace(started, offers=offers)


def peers_of(settings: SystemSettings, edge: EdgeSettings) -> dict[type, str]:
    """Where the Protocols of other processes answer.

    Raises `StartFailed` for one in the clear: any, where an authority is set; otherwise one on another machine, unless a mesh ends TLS.
    """
    pairs = dict(pair.split("=", 1) for pair in settings.peers.split(",") if "=" in pair)
    for address in pairs.values():
        if not (edge.plain_http or address.startswith("https://") or is_here(urlsplit(address).hostname or "")):
            raise StartFailed(
                f"{address[:80]} is another machine, so its address in CAREWRIGHT_SYSTEM_PEERS begins with https://. "
                "Set CAREWRIGHT_EDGE_PLAIN_HTTP=true where a mesh ends TLS."
            )
    if edge.tls_client_authority_file and not all(address.startswith("https://") for address in pairs.values()):
        raise StartFailed("Calls between processes need certificates, so every address in CAREWRIGHT_SYSTEM_PEERS begins with https://.")
    return {protocol: pairs[module.name] for module in MODULES if module.name in pairs for protocol in module.offers}


def _resolver(system: System, peers: dict[type, str], client: Any) -> Callable[[type], Any]:
    def resolve(wanted: type) -> Any:
        if wanted in system.offers:
            return system.offers[wanted]
        if wanted in peers:
            return Remote(wanted, peers[wanted], client, system.tokens)
        raise StartFailed(f"Nobody answers for {wanted.__name__}. Run its module here too, or name its address in CAREWRIGHT_SYSTEM_PEERS.")

    return resolve


async def _owner(resolve: Callable[[type], Any], token: str) -> Actor | None:
    """Whose an opaque token is: who keeps sessions, or sensors, says so, here or in another process. Where nobody does, none is known."""
    keeper: Access | Sensors | None = _keeper(resolve, Sensors if token.startswith(DEVICE_PREFIX) else Access)
    return await keeper.actor_of(NOBODY, token) if keeper else None


async def _standing(resolve: Callable[[type], Any], organization_id: UUID, session_ids: tuple[UUID, ...]) -> dict[UUID, str]:
    """Which of these sessions live, and what their actors may now."""
    access: Access | None = _keeper(resolve, Access)
    if access is None:
        return {}
    return await access.find_live_sessions(msgspec.structs.replace(NOBODY, organization_id=organization_id), session_ids)


async def _app_origins(resolve: Callable[[type], Any]) -> tuple[str, ...]:
    """The origins of apps' pages, of whoever registers apps."""
    access: Access | None = _keeper(resolve, Access)
    return await access.app_origins(NOBODY) if access else ()


def _keeper(resolve: Callable[[type], Any], protocol: type) -> Any:
    """Who answers a Protocol, or None where nobody does."""
    try:
        return resolve(protocol)
    except StartFailed:
        return None


async def _warmed_when_ready(system: System, health: app.Health) -> None:
    """Set aside what was loaded, and do what saves the first who asks a wait; then there is nothing more to do."""
    while health.missing():
        await system.wake.wait(READY_POLL_SECONDS)
    set_aside()
    for started in system.running.values():
        if started.warm is not None:
            await started.warm()
    await asyncio.Event().wait()


async def _tell_time(clock: SystemClock, db: Database) -> None:
    asked = clock.now() - clock.skew
    row = await db.fetch_one(Q.database_now)
    if row is not None:
        clock.follow(row["now"], asked, clock.now() - clock.skew)


async def _keep_time(ctx: Context) -> None:
    """Follow the database's clock, so that every process agrees when a hold has run out."""
    while True:
        await asyncio.sleep(CLOCK_SECONDS)
        with contextlib.suppress(Unavailable):
            if isinstance(ctx.clock, SystemClock):
                await _tell_time(ctx.clock, ctx.db)


def _kept(work: Awaitable[None]) -> asyncio.Future[None]:
    """A relay or follower that broke is worse than none, since nobody would notice: the process leaves, to be started again."""

    def ended(task: asyncio.Future[None]) -> None:
        if not task.cancelled():
            fault = task.exception()
            log.error("background.ended", error=type(fault).__name__, where=telemetry.where(fault) if fault else None)
            asyncio.get_running_loop().call_later(LEAVE_SECONDS_MAX, os._exit, 1)
            signal.raise_signal(signal.SIGTERM)

    task = asyncio.ensure_future(work)
    task.add_done_callback(ended)
    return task


async def _end(tasks: Sequence[asyncio.Future[None]]) -> None:
    """Cancel until they end: a cancellation that arrives together with a result can be lost on its way through a driver."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_SECONDS)
