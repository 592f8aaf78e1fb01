"""The relay: from the outbox to each module's handlers, in order per subject, at least once, with repeats made harmless.

One process leads for a consumer at a time, by a session lock that dies with it. The log is read across tenants; what a tenant has of a
batch is handled in one transaction of that tenant. When an event in it fails, the batch is taken again one by one. An event that keeps
failing is parked, and later events of its subject wait behind it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from prometheus_client import Counter, Gauge

from carewright.kernel import outbox, telemetry
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import Unavailable
from carewright.kernel.events import Delivered
from carewright.kernel.modules import Module
from carewright.kernel.sql import load

Q = load("carewright.kernel")
POLL_SECONDS = 1.0
BATCH_MAX = 200
ATTEMPTS_MAX = 4
PAUSE_SECONDS = (0.05, 0.25, 1.0)
REPLAY_MAX = 1000
HANDLED = Counter("carewright_events_handled_total", "Events handled, by consumer and outcome.", ["consumer", "outcome"])
LAG = Gauge("carewright_relay_lag_seconds", "Age of the first event that waits to be handled.", ["consumer"])
PARKED = Gauge("carewright_events_parked_subjects", "Subjects with a parked event: later events of theirs wait.", ["consumer"])
log = telemetry.logger(__name__)


class Relay:
    """One consumer: a module and its handlers."""

    def __init__(self, module: Module, context: Context) -> None:
        self.name = module.name
        self._context = context
        self._handlers = {kind.topic: handle for kind, handle in module.subscriptions.items()}
        self._at_once = [kind.topic for kind in module.at_once]
        self._parked: set[UUID] = set()
        self._measured_at = -POLL_SECONDS

    async def run(self) -> None:
        """Lead or wait to lead, until cancelled."""
        while True:
            try:
                async with self._context.db.reserved() as session:
                    row = await session.fetch_one(Q.try_lead, f"relay {self.name}")
                    if row and row["leads"]:
                        await self._lead(session)
            except Unavailable:
                log.info("relay.waits", consumer=self.name)
            await asyncio.sleep(POLL_SECONDS)

    async def drain(self) -> int:
        """Handle everything that can be handled now; returns how many events. For tests, imports and `carewright verify`."""
        handled = 0
        while count := await self._batch():
            handled += count
        return handled

    async def _lead(self, session: Session) -> None:
        log.info("relay.leads", consumer=self.name)
        while True:
            seen = self._context.wake.rung
            while await self._batch():
                await self._measure_at_times()
            await self._measure_at_times()
            await self._context.wake.wait(POLL_SECONDS, seen)
            await session.fetch_one(Q.database_now)  # the lock goes with this connection: notice when it is gone

    async def _measure_at_times(self) -> None:
        """Once a second, also while there is always more: that is when somebody wants to know."""
        if (now := self._context.clock.monotonic_seconds()) - self._measured_at >= POLL_SECONDS:
            self._measured_at = now
            await self.measure()

    async def measure(self) -> float:
        """Note for how many seconds the first event that waits has waited; it may be held back by a running transaction."""
        place = await self.place()
        row = await self._context.db.fetch_one(Q.first_unread, str(place[0]), place[1], self.topics)
        waited = (self._context.clock.now() - row["occurred_at"]).total_seconds() if row else 0.0
        LAG.labels(self.name).set(waited)
        return waited

    async def _batch(self) -> int:
        place = await self.place()
        end = await outbox.end_of_log(self._context.db)
        events = await outbox.read_between(self._context.db, place, end, BATCH_MAX, list(self._handlers))
        reached = events[-1].place() if len(events) == BATCH_MAX else end
        if not events:
            return await self._skip_to(place, reached)
        await self._read_parked()
        if self._parked or not await self._all_at_once(events, reached):
            for event in events:
                await self._one_by_one(event)
            await self._move(self._context.db, reached)
        return len(events)

    async def _all_at_once(self, events: Sequence[Delivered], reached: tuple[int, int]) -> bool:
        """Handle each tenant's events in a transaction of that tenant; the place moves with the last. A repeat finds its inbox row."""
        batches = _by_tenant(events)
        try:
            for number, (organization_id, own) in enumerate(batches.items(), 1):
                async with self._context.db.of(organization_id).transaction() as tx:
                    await self._handle(tx, own)
                    if number == len(batches):
                        await self._move(tx, reached)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001  # whichever event it was is found out one by one
            return False
        HANDLED.labels(self.name, "handled").inc(len(events))
        self._context.wake()
        return True

    async def _one_by_one(self, event: Delivered) -> None:
        if event.subject in self._parked:
            await self._park(event, "waits behind an earlier event of its subject", 0)
            return
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                async with self._context.db.of(event.organization_id).transaction() as tx:
                    await self._handle(tx, [event])
            except Unavailable:
                raise
            except Exception as fault:  # noqa: BLE001  # a poison event must not stop the others
                self._note_failure(event, fault)
                if attempt == ATTEMPTS_MAX:
                    await self._park(event, type(fault).__name__, attempt)
                    return
                await asyncio.sleep(PAUSE_SECONDS[attempt - 1])
            else:
                HANDLED.labels(self.name, "handled").inc()
                self._context.wake()
                return

    async def _handle(self, tx: Session, events: Sequence[Delivered]) -> None:
        """Handle those of these that were not handled before, in their order."""
        ids = [event.id for event in events]
        first = {row["event_id"] for row in await tx.fetch(Q.first_deliveries, self.name, ids, self._context.clock.now())}
        for event in events:
            if event.id in first:
                await self._tell(tx, event)

    async def _tell(self, tx: Session, event: Delivered) -> None:
        fact, actor = event.fact(), system_actor(self._context.actor, event.organization_id)
        with telemetry.span(f"{self.name} {event.topic}", event.trace) as trace:
            ctx = replace(self._context, caused_by=event.actor).acting(actor, trace=trace)
            await self._handlers[event.topic](ctx, tx, fact)

    async def catch_up(self, organization_id: UUID) -> None:
        """Handle, within the caller's joint transaction, what it has written so far that this module needs at once."""
        if self._at_once:
            async with self._context.db.of(organization_id).transaction() as tx:
                if events := await outbox.written_here(tx, self.name, self._at_once):
                    await self._handle(tx, events)

    async def replay(self) -> int:
        """Handle parked events now, in order; returns how many. One that fails again stays parked, and so do those behind it."""
        rows = await self._context.db.fetch(Q.parked_events, self.name, REPLAY_MAX)
        failed: set[UUID] = set()
        handled = 0
        for event in map(outbox.delivered, rows):
            if event.subject not in failed and await self._replayed(event):
                handled += 1
            else:
                failed.add(event.subject)
        return handled

    async def _replayed(self, event: Delivered) -> bool:
        try:
            async with self._context.db.of(event.organization_id).transaction() as tx:
                await self._handle(tx, [event])
                await tx.execute(Q.unpark_event, self.name, event.id)
        except Unavailable:
            raise
        except Exception as fault:  # noqa: BLE001  # it stays parked, and says why
            self._note_failure(event, fault)
            return False
        HANDLED.labels(self.name, "replayed").inc()
        self._context.wake()
        return True

    def _note_failure(self, event: Delivered, fault: Exception) -> None:
        log.error(
            "event.failed",
            consumer=self.name,
            topic=event.topic,
            event_id=event.id,
            error=type(fault).__name__,
            where=telemetry.where(fault),
        )

    async def _park(self, event: Delivered, reason: str, attempts: int) -> None:
        HANDLED.labels(self.name, "parked").inc()
        await self._context.db.execute(
            Q.park_event, self.name, event.id, str(event.xid), event.position, event.topic, event.subject, reason, attempts,
            self._context.clock.now(),
        )  # fmt: skip
        self._parked.add(event.subject)
        PARKED.labels(self.name).set(len(self._parked))

    async def _read_parked(self) -> None:
        self._parked = {row["subject"] for row in await self._context.db.fetch(Q.parked_subjects, self.name)}
        PARKED.labels(self.name).set(len(self._parked))

    @property
    def topics(self) -> list[str]:
        """What this consumer listens to."""
        return list(self._handlers)

    async def place(self) -> tuple[int, int]:
        """Up to where it has read."""
        row = await self._context.db.fetch_one(Q.consumer_place, self.name)
        return (int(row["xid"]), row["position"]) if row else (0, 0)

    async def _skip_to(self, place: tuple[int, int], end: tuple[int, int]) -> int:
        """Nothing for us up to `end`: remember that now and then, so that old events can be forgotten."""
        if end[0] - place[0] > BATCH_MAX or place == (0, 0):
            await self._move(self._context.db, end)
        return 0

    async def _move(self, db: Session, place: tuple[int, int]) -> None:
        await db.execute(Q.move_consumer, self.name, str(place[0]), place[1], self._context.clock.now())


def _by_tenant(events: Sequence[Delivered]) -> dict[UUID, list[Delivered]]:
    """The events of each tenant, in their order. A subject belongs to one tenant, so the order of its events is kept."""
    batches: dict[UUID, list[Delivered]] = {}
    for event in events:
        batches.setdefault(event.organization_id, []).append(event)
    return batches


def system_actor(template: Actor, organization_id: UUID) -> Actor:
    """The system itself, at work within one organization."""
    return Actor(subject="system", organization_id=organization_id, role="system", permissions=template.permissions)
