"""Work that breaks on a person's data is repeated, parked and logged without a word of it: jobs, events, dead letters."""

import io
import logging
from collections.abc import Iterator
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from carewright.contracts.scheduling import ScheduleChanged
from carewright.kernel import jobs, outbox, telemetry
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.jobs import ATTEMPTS_MAX, Job
from carewright.kernel.modules import Module, Running
from carewright.roles import relay
from carewright.roles.relay import Relay
from tests.canary import WORDS, found_in
from tests.samples import known_id
from tests.servers import Contexts

WORDED = " ".join(WORDS)
QUEUES = ("job", "dead_letter", "outbox", "inbox", "consumer", "idempotency", "timer")


class Canary(Exception):
    """What a library raises that quotes its input."""


async def broken_job(_: Context, __: msgspec.Raw) -> None:
    raise Canary(WORDED)


async def broken_handler(_: Context, __: Session, ___: ScheduleChanged) -> None:
    raise Canary(WORDED)


async def never(*_: object) -> Running:
    raise AssertionError("not started here")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged during the test, as a server process logs it."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level = root.handlers, root.level
    telemetry.configure_logs(pretty=False)
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers, root.level = before, level


async def rows_of(url: str) -> dict[str, list[str]]:
    """Every row of every queue, as a superuser reads them."""
    connection = await asyncpg.connect(url)
    try:
        return {
            table: [row["row"] for row in await connection.fetch(f"SELECT t::text AS row FROM kernel.{table} t")]  # noqa: S608  (names of ours)
            for table in QUEUES
        }
    finally:
        await connection.close()


async def test_what_breaks_on_a_persons_data_is_kept_without_a_word_of_it(
    context: Contexts, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "PAUSE_SECONDS", (0.0, 0.0, 0.0))
    ctx, system = await context("scheduling"), await context.system("scheduling")
    async with ctx.db.transaction() as tx:
        await jobs.enqueue(ctx, tx, "canary", {"patient_id": str(known_id(1))}, run_at=ctx.clock.now())
        await outbox.publish(
            ctx, tx, ScheduleChanged(organization_id=ctx.actor.organization_id, schedule_id=known_id(2), calendar_version=1)
        )  # fmt: skip
    for _ in range(ATTEMPTS_MAX):
        assert await jobs.run_due(system, [Job("canary", broken_job)]) == 1
        context.clock.advance(seconds=timedelta(days=1).total_seconds())
    following = Relay(Module(name="canary", start=never, settings=object, subscriptions={ScheduleChanged: broken_handler}), system)
    await following.drain()
    rows = await rows_of(context.pools.url)
    assert any("Canary" in row for row in rows["job"]), "the kind of fault is kept"
    assert any("Canary" in row for row in rows["dead_letter"])
    assert [f"{table}: {word}" for table, found in rows.items() for word in found_in("\n".join(found))] == []
    assert "job.failed" in written.getvalue()
    assert "event.failed" in written.getvalue()
    assert list(found_in(written.getvalue())) == []
