"""Screens and kiosks: enrolled by staff, signed in by a code that serves once, and gone within two seconds when they are retired."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from carewright.access.context import AccessContext
from carewright.access.service import sessions, stations
from carewright.contracts.access import StartedSession, StationCodeNotRight, StepUpNeeded, UnknownStation
from carewright.contracts.permissions import ROLES
from carewright.contracts.stations import (
    EnrolledStation,
    EnrolStation,
    RedeemStationCode,
)
from carewright.kernel.errors import Forbidden
from carewright.kernel.sql import Query
from tests.access_world import access, recorded, staff
from tests.servers import Contexts

HASHES = Query("test.station_hashes", "SELECT code_hash FROM access.station WHERE organization_id = $1 AND id = $2")


def operations(ctx: AccessContext, context: Contexts, **more: Any) -> AccessContext:
    return ctx.acting(staff(context, "operations", **more))


async def enrolled(ctx: AccessContext, context: Contexts, **said: Any) -> EnrolledStation:
    wanted: dict[str, Any] = {"kind": "screen", "name": "Waiting room", "site_id": uuid4(), "languages": ("en", "es", "en")} | said
    return await stations.enrol_station(operations(ctx, context), EnrolStation(**wanted))


async def redeemed(ctx: AccessContext, code: str) -> StartedSession:
    return await stations.redeem_station_code(ctx, RedeemStationCode(code=code))


async def test_a_code_signs_a_station_in_once_however_it_is_typed(context: Contexts) -> None:
    ctx = await access(context)
    made = await enrolled(ctx, context)
    assert (made.station.languages, made.station.enrolled_at) == (("en", "es"), None)
    tries = [redeemed(ctx, made.code.lower().replace("-", " ")) for _ in range(4)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    (started,) = [each for each in answers if isinstance(each, StartedSession)]
    assert sum(isinstance(each, StationCodeNotRight) for each in answers) == 3
    actor = await sessions.actor_of(ctx, started.token)
    assert actor is not None
    assert (actor.role, actor.permissions, actor.site_ids) == ("screen", ROLES["screen"], frozenset({made.station.site_id}))
    own = await stations.own_station(ctx.acting(actor))
    assert (own.id, own.name, own.code_until) == (made.station.id, "Waiting room", None)
    row = await ctx.db.fetch_one(HASHES, context.organization_id, made.station.id)
    assert row is not None
    assert row["code_hash"] is None
    events = [(event, outcome) for event, outcome, _ in await recorded(context)]
    assert ("access.station.create", "success") in events
    assert ("access.session.start", "success") in events


async def test_a_code_is_kept_as_a_hash_and_good_for_fifteen_minutes(context: Contexts) -> None:
    ctx = await access(context)
    made = await enrolled(ctx, context)
    row = await ctx.db.fetch_one(HASHES, context.organization_id, made.station.id)
    assert row is not None
    assert made.code.encode() not in row["code_hash"]
    context.clock.advance(minutes=15)
    with pytest.raises(StationCodeNotRight):
        await redeemed(ctx, made.code)
    with pytest.raises(StationCodeNotRight):
        await redeemed(ctx, "AAAA-AAAA-AAAA-AAAA")


async def test_a_new_code_takes_the_place_of_the_device_before(context: Contexts) -> None:
    ctx = await access(context)
    made = await enrolled(ctx, context)
    first = await redeemed(ctx, made.code)
    again = await stations.renew_station_code(operations(ctx, context), made.station.id)
    assert await sessions.actor_of(ctx, first.token)
    second = await redeemed(ctx, again.code)
    assert await sessions.actor_of(ctx, first.token) is None
    assert await sessions.actor_of(ctx, second.token)


async def test_a_station_stays_signed_in_through_weeks_of_being_off_and_no_longer(context: Contexts) -> None:
    ctx = await access(context)
    started = await redeemed(ctx, (await enrolled(ctx, context)).code)
    context.clock.advance(days=29)
    assert await sessions.actor_of(ctx, started.token)
    context.clock.advance(days=30)
    assert await sessions.actor_of(ctx, started.token) is None


async def test_a_retired_station_is_signed_out_and_its_code_opens_nothing(context: Contexts) -> None:
    ctx = await access(context)
    made = await enrolled(ctx, context)
    started = await redeemed(ctx, made.code)
    asking = operations(ctx, context)
    waiting = await stations.renew_station_code(asking, made.station.id)
    (listed,) = (await stations.list_stations(asking)).items
    assert (listed.last_seen_at, listed.retired) == (started.session.last_used_at, False)
    retired = await stations.retire_station(asking, made.station.id)
    assert (retired.retired, retired.last_seen_at, retired.code_until) == (True, None, None)
    assert (await stations.list_stations(asking)).items == (replace(retired, enrolled_at=listed.enrolled_at),)
    assert await sessions.actor_of(ctx, started.token) is None
    assert await sessions.find_live_sessions(ctx, (started.session.id,)) == {}
    with pytest.raises(StationCodeNotRight):
        await redeemed(ctx, waiting.code)
    for act in (stations.retire_station, stations.renew_station_code):
        with pytest.raises(UnknownStation):
            await act(asking, made.station.id)


async def test_staff_of_another_site_neither_see_nor_touch_it(context: Contexts) -> None:
    ctx = await access(context)
    made = await enrolled(ctx, context)
    elsewhere = operations(ctx, context, site_ids=frozenset({uuid4()}))
    assert (await stations.list_stations(elsewhere)).items == ()
    for act in (stations.retire_station, stations.renew_station_code):
        with pytest.raises(UnknownStation):
            await act(elsewhere, made.station.id)
    with pytest.raises(Forbidden):
        await stations.enrol_station(elsewhere, EnrolStation(kind="screen", name="Entrance", site_id=made.station.site_id))


async def test_enrolling_asks_for_the_right_and_for_a_sign_in_of_the_last_minutes(context: Contexts) -> None:
    ctx = await access(context)
    wanted = EnrolStation(kind="screen", name="Entrance", site_id=uuid4())
    with pytest.raises(Forbidden):
        await stations.enrol_station(ctx.acting(staff(context, "front-desk")), wanted)
    asking = operations(ctx, context)
    context.clock.advance(hours=1)
    with pytest.raises(StepUpNeeded):
        await stations.enrol_station(asking, wanted)


async def test_nobody_but_a_station_is_one(context: Contexts) -> None:
    ctx = await access(context)
    with pytest.raises(Forbidden):
        await stations.own_station(operations(ctx, context))
    for subject in ("screen", f"screen/{UUID(int=1)}"):
        with pytest.raises(UnknownStation):
            await stations.own_station(ctx.acting(context.actor("screen", subject=subject)))
