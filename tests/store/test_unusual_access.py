"""Unusual access, found in the log by real records and real accounts, and closed by a privacy officer."""

from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import asyncpg
import msgspec
import pytest

from carewright.access.module import LocalAccess
from carewright.contracts.audit import AuditEvent, Busy, FindBusy, FindReads, ReadsPage
from carewright.contracts.oversight import CloseUnusual, ListUnusual, UnknownUnusual, UnusualNotYours
from carewright.contracts.patients import RegisterPatient
from carewright.contracts.permissions import ALL, SYSTEM
from carewright.contracts.starts import IsExpected
from carewright.kernel.authz import BREAKING_GLASS, Actor
from carewright.kernel.context import Context
from carewright.kernel.errors import Forbidden
from carewright.kernel.token_keys import TokenKeys
from carewright.oversight.context import OversightContext
from carewright.oversight.service import unusual
from carewright.oversight.settings import OversightSettings
from carewright.patients.module import LocalPatients
from carewright.patients.service import records as patients
from tests.access_world import access, recorded, staff
from tests.servers import Contexts

ACCOUNT = """INSERT INTO access.account (organization_id, id, subject, role, display, site_ids, created_at)
VALUES ($1, $2, $3, $4, $5, $6, now())"""
STORED = "SELECT row_to_json(u)::text AS row FROM oversight.unusual u"


class World:
    """What the log and the calendars say, as a test puts it."""

    def __init__(self) -> None:
        self.reads: list[AuditEvent] = []
        self.expected: set[UUID] = set()
        self.busy: list[Busy] = []
        self.asked: list[IsExpected] = []

    async def find_reads(self, _: Actor, query: FindReads) -> ReadsPage:
        waiting = [each for each in self.reads if each.number > query.place and each.recorded_at < query.before]
        page = tuple(waiting[: query.limit])
        return ReadsPage(items=page, place=page[-1].number if page else query.place)

    async def find_busy(self, _: Actor, query: FindBusy) -> tuple[Busy, ...]:
        return tuple(one for one in self.busy if one.count >= query.at_least)

    async def is_expected(self, _: Actor, query: IsExpected) -> bool:
        self.asked.append(query)
        return query.patient_id in self.expected


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def ctx(context: Contexts, world: World) -> OversightContext:
    base, double = await context.system("oversight"), cast("Any", world)
    made = OversightContext(
        **{field.name: getattr(base, field.name) for field in fields(Context)}, settings=OversightSettings(),
        system=Actor(subject="system", organization_id=context.organization_id, role=SYSTEM, permissions=ALL), keys=TokenKeys.of(b"k" * 32),
        access=LocalAccess(await access(context)), audit=double, notifications=double,
        patients=LocalPatients(await context.system("patients")), scheduling=double,
    )  # fmt: skip
    await place_at_the_end(context)
    return made


async def place_at_the_end(context: Contexts) -> None:
    """The place in the log is the whole system's: each test begins anew."""
    connection = await asyncpg.connect(context.pools.url)
    await connection.execute("UPDATE oversight.place SET number = -1")
    await connection.close()


def officer(ctx: OversightContext, context: Contexts, subject: str = "officer") -> OversightContext:
    return ctx.acting(staff(context, "privacy-officer", subject))


async def patient(context: Contexts, family: str = "Nguyen", given: str = "Mai") -> UUID:
    """Somebody who was registered long ago."""
    desk = await context("patients", "front-desk")
    made = await patients.register_patient(desk, RegisterPatient(family=family, given=(given,), birth_on=date(1980, 1, 1)))
    context.clock.advance(minutes=60 * 30)
    return made.id


async def account(context: Contexts, subject: str, display: str, role: str = "nurse", site_ids: tuple[UUID, ...] = ()) -> None:
    connection = await asyncpg.connect(context.pools.url)
    await connection.execute(ACCOUNT, context.organization_id, context.ids.new(), subject, role, display, list(site_ids))
    await connection.close()


def read(
    world: World, context: Contexts, patient_id: UUID, agent: str = "nurse-1", role: str = "nurse", purpose: str = "TREAT"
) -> datetime:
    """An entry of the log: somebody opened a record now."""
    event = AuditEvent(
        number=len(world.reads), id=context.ids.new(), recorded_at=context.clock.now(), organization_id=context.organization_id,
        event="patients.patient.read", action="R", agent=agent, role=role, purpose=purpose, patient_id=patient_id,
    )  # fmt: skip
    world.reads.append(event)
    return event.recorded_at


async def found(ctx: OversightContext, context: Contexts) -> list[tuple[str, str, int]]:
    page = await unusual.list_unusual(officer(ctx, context), ListUnusual())
    return sorted((one.kind, one.agent, one.count) for one in page.items)


async def test_each_reason_is_found_and_nothing_else(ctx: OversightContext, world: World, context: Contexts) -> None:
    await account(context, "nurse-1", "Linh Nguyen")
    await account(context, "nurse-2", "Mai Nguyen")
    await account(context, "nurse-3", "Robert Smith")
    mai = await patient(context)
    other = await patient(context, "Garcia", "Ana")
    world.expected = {mai}
    for agent, whose in (
        ("nurse-1", mai),
        ("nurse-2", mai),
        ("nurse-3", mai),
        ("nurse-3", other),
        ("nurse-3", other),
        ("unheard-of", other),
    ):
        read(world, context, whose, agent)
    read(world, context, other, "desk-1", "front-desk")
    read(world, context, other, "nurse-4", "nurse", BREAKING_GLASS)
    read(world, context, other, "patient/x", "patient")
    read(world, context, other, "lab", "integration")
    assert await unusual.look_for_unusual(ctx) == 0, "nothing has settled yet"
    context.clock.advance(minutes=16)
    assert await unusual.look_for_unusual(ctx) == 4
    assert await found(ctx, context) == [
        ("no_appointment", "nurse-3", 2), ("no_appointment", "unheard-of", 1), ("own_record", "nurse-2", 1), ("same_surname", "nurse-1", 1),
    ]  # fmt: skip
    assert await unusual.look_for_unusual(ctx) == 0, "the log is gone through once"
    written = [event for event, _, _ in await recorded(context)]
    assert written.count("patients.patient.compare") == 2, "only records that may fit were opened"
    assert written.count("oversight.unusual.note") == 4


async def test_an_appointment_explains_at_the_readers_own_sites_and_about_then(
    ctx: OversightContext, world: World, context: Contexts
) -> None:
    site = context.ids.new()
    await account(context, "nurse-1", "Robert Smith", site_ids=(site,))
    at = read(world, context, await patient(context))
    context.clock.advance(minutes=16)
    await unusual.look_for_unusual(ctx)
    near = timedelta(days=ctx.settings.unusual_days_near)
    (asked,) = world.asked
    assert (asked.site_ids, asked.from_at, asked.until_at) == ((site,), at - near, at + near)


async def test_whoever_was_registered_just_now_is_no_stranger(ctx: OversightContext, world: World, context: Contexts) -> None:
    made = await patient(context)
    context.clock.instant -= timedelta(minutes=60 * 29)
    read(world, context, made)
    context.clock.advance(minutes=16)
    assert await unusual.look_for_unusual(ctx) == 0


async def test_bulk_reading_is_one_thing_to_look_at_and_is_not_told_again_for_the_same_hour(
    ctx: OversightContext, world: World, context: Contexts
) -> None:
    def reader(role: str, count: int) -> Busy:
        return Busy(organization_id=context.organization_id, agent=f"{role}-1", role=role, purpose="TREAT", count=count)

    world.busy = [reader("front-desk", 160), reader("integration", 900), reader("nurse", 149)]
    assert await unusual.look_for_unusual(ctx) == 1
    context.clock.advance(minutes=1)
    world.busy = [reader("front-desk", 170)]
    assert await unusual.look_for_unusual(ctx) == 0
    assert await found(ctx, context) == [("bulk_reading", "front-desk-1", 170)]
    (one,) = (await unusual.list_unusual(officer(ctx, context), ListUnusual())).items
    await unusual.close_unusual(officer(ctx, context), CloseUnusual(unusual_id=one.id, outcome="justified", finding="A recall of patients"))
    context.clock.advance(minutes=1)
    assert await unusual.look_for_unusual(ctx) == 0
    context.clock.advance(minutes=61)
    assert await unusual.look_for_unusual(ctx) == 1


async def test_it_is_closed_once_with_a_finding_that_lies_sealed_and_by_somebody_else(
    ctx: OversightContext, world: World, context: Contexts
) -> None:
    whose = await patient(context)
    read(world, context, whose, "officer-2", "physician")
    context.clock.advance(minutes=16)
    await unusual.look_for_unusual(ctx)
    (one,) = (await unusual.list_unusual(officer(ctx, context), ListUnusual(patient_id=whose))).items
    command = CloseUnusual(unusual_id=one.id, outcome="not-justified", finding="Asked, and had no reason")
    with pytest.raises(UnusualNotYours):
        await unusual.close_unusual(officer(ctx, context, "officer-2"), command)
    with pytest.raises(Forbidden):
        await unusual.close_unusual(ctx.acting(staff(context, "administrator")), command)
    closed = await unusual.close_unusual(officer(ctx, context), command)
    assert (closed.outcome, closed.finding, closed.closed_by) == ("not-justified", "Asked, and had no reason", "officer")
    with pytest.raises(UnknownUnusual):
        await unusual.close_unusual(officer(ctx, context), command)
    assert (await unusual.list_unusual(officer(ctx, context), ListUnusual())).items == ()
    assert (await unusual.list_unusual(officer(ctx, context), ListUnusual(closed=True))).items == (closed,)
    connection = await asyncpg.connect(context.pools.url)
    stored = "".join(row["row"] for row in await connection.fetch(STORED))
    await connection.close()
    assert str(one.id) in stored
    assert "no reason" not in stored
    assert b"no reason".hex() not in stored


async def test_what_comes_after_it_was_closed_is_told_again(ctx: OversightContext, world: World, context: Contexts) -> None:
    whose = await patient(context)
    for count in (1, 1):
        read(world, context, whose)
        context.clock.advance(minutes=16)
        assert await unusual.look_for_unusual(ctx) == count
        (one,) = (await unusual.list_unusual(officer(ctx, context), ListUnusual())).items
        await unusual.close_unusual(officer(ctx, context), CloseUnusual(unusual_id=one.id, outcome="justified", finding="On duty"))


async def test_another_hospital_sees_nothing_of_it(ctx: OversightContext, world: World, context: Contexts) -> None:
    read(world, context, await patient(context))
    context.clock.advance(minutes=16)
    assert await unusual.look_for_unusual(ctx) == 1
    (one,) = (await unusual.list_unusual(officer(ctx, context), ListUnusual())).items
    there = ctx.acting(msgspec.structs.replace(officer(ctx, context).actor, organization_id=context.ids.new()))
    assert (await unusual.list_unusual(there, ListUnusual())).items == ()
    with pytest.raises(UnknownUnusual):
        await unusual.close_unusual(there, CloseUnusual(unusual_id=one.id, outcome="justified", finding="Not mine"))
