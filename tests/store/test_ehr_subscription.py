"""An EHR wakes us, over real HTTP both ways: a change there is here by the pull that it woke; the subscription is kept while wanted."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from carewright.contracts.ehr import (
    ConnectionStopped,
    EhrSubscription,
    Mode,
    ModeNotOffered,
    NoPublicAddress,
    NotUnderstood,
    ProfileName,
    SetMode,
    UnknownConnection,
)
from carewright.ehr import store
from carewright.ehr.service import pulling
from carewright.ehr.service.asking import Ehr
from carewright.ehr.service.connections import connection_of
from carewright.ehr.service.hooking import Hook
from carewright.ehr.service.keeping import reseal_subscriptions
from carewright.ehr.service.pushing import push
from carewright.ehr.service.stopping import resume_connection, stop_connection
from carewright.ehr.service.subscribing import hash_of, set_mode
from carewright.ehr.service.untold import list_untold
from carewright.kernel.errors import Unavailable
from carewright.kernel.http.settings import EdgeSettings
from carewright.kernel.sql import Query
from tests.clinic import ok
from tests.ehr_side import SETTINGS, Sides, both_sides
from tests.http.test_listener import listening_to
from tests.store.test_ehr_push import expected, of_ours, told
from tests.whole_system import Inside, inside

LOOK = Query("test.look", "UPDATE ehr.subscription SET look_at = $3 WHERE organization_id = $1 AND id = $2")
FORGET = Query("test.forget", "UPDATE ehr.subscription SET theirs = NULL, look_at = $3 WHERE organization_id = $1 AND id = $2")
ROW = Query("test.row", """
    SELECT theirs, secret_hash, pull_at, asking_until FROM ehr.subscription JOIN ehr.connection USING (organization_id, id)
    WHERE organization_id = $1 AND id = $2
""")  # fmt: skip
PULLED = Query("test.pulled", "UPDATE ehr.connection SET pulled_at = $3 WHERE organization_id = $1 AND id = $2")
FLOOD = 50


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
async def listening(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Inside]:
    """The whole system, which an EHR reaches over a socket."""
    theirs, ours = f"http://127.0.0.1:{free_port()}", free_port()
    settings = type(SETTINGS)(pull_minutes=0, wait_seconds_max=1.0, public_url=f"http://127.0.0.1:{ours}/")
    system = inside(database_url, tmp_path_factory.mktemp("hooks"), uuid4(), theirs, ehr=settings)
    async with system as running, listening_to(running.application, EdgeSettings(), ours):
        yield running


@asynccontextmanager
async def woken(whole: Inside) -> AsyncIterator[Sides]:
    """Both sides, what they have on both, and a subscription that is active."""
    async with both_sides(whole, "r4") as sides:
        await sides.pull()
        await mode(sides, "subscription")
        await until_active(sides)
        yield sides


async def mode(sides: Sides, mode: Mode) -> None:
    await set_mode(sides.ctx, sides.connection.id, SetMode(mode=mode))


async def standing(sides: Sides) -> EhrSubscription | None:
    return (await connection_of(sides.ctx, sides.connection.id)).subscription


async def look(sides: Sides, query: Query = LOOK) -> None:
    """Its turn has come: the system looks by itself."""
    await sides.ctx.db.execute(query, sides.ctx.actor.organization_id, sides.connection.id, sides.ctx.clock.now())
    sides.ctx.wake()


async def until_active(sides: Sides) -> EhrSubscription:
    """Looked at until the EHR says that it is active; no pull is owed any more, and none goes on."""
    found = None

    async def is_active() -> bool:
        nonlocal found
        found = await standing(sides)
        if found is None or found.status != "active":
            await look(sides)
            return False
        now = await row(sides)
        return now["pull_at"] is None and now["asking_until"] is None

    await told(is_active)
    assert found is not None
    return found


async def row(sides: Sides) -> Any:
    return await sides.ctx.db.fetch_one(ROW, sides.ctx.actor.organization_id, sides.connection.id)


async def at_the_ehr(sides: Sides) -> list[Any]:
    """Subscriptions there that wake this connection."""
    found = await sides.search("Subscription")
    return [each for each in found if each["channel"]["endpoint"].endswith(str(sides.connection.id))]


async def rewritten(sides: Sides, **changed: Any) -> None:
    """Somebody changes our subscription at the EHR."""
    (one,) = await at_the_ehr(sides)
    body = {name: value for name, value in one.items() if name != "meta"} | {"status": "requested"} | changed
    assert (await sides.http.put(f"{sides.base}/Subscription/{one['id']}", json=body)).status_code == 200


def bearer_of(subscription: Any) -> str:
    """What the EHR shows us."""
    (header,) = subscription["channel"]["header"]
    return str(header).removeprefix("Authorization: ")


async def knock(sides: Sides, secret: str | None, connection_id: object = None, body: bytes = b"") -> httpx.Response:
    place = f"{sides.ctx.settings.public_url.rstrip('/')}/ehr-hooks/{connection_id or sides.connection.id}"
    return await sides.http.post(place, headers={"Authorization": secret} if secret else {}, content=body)


async def until(happened: Callable[[], Awaitable[Any]]) -> None:
    async def has_happened() -> bool:
        return bool(await happened())

    await told(has_happened)


async def test_a_change_there_is_here_by_the_pull_that_it_woke(listening: Inside) -> None:
    async with woken(listening) as sides:
        before = await until_active(sides)
        assert (before.fault, before.woken_at) == (None, None)
        assert before.ends_at is not None
        assert before.ends_at > datetime.now(UTC) + timedelta(hours=47)
        one = (await sides.theirs())[0]
        await sides.patch(one, "/status", "cancelled")
        await until(lambda: sides.ours("cancelled"))
        assert [each.start for each in await sides.ours("cancelled")] == [datetime.fromisoformat(one["start"])]
        after = await until_active(sides)
        assert after.woken_at is not None
        assert after.active_since == before.active_since


async def test_what_is_asked_for_is_written_as_r4_has_it_without_a_payload(listening: Inside) -> None:
    async with woken(listening) as sides:
        (one,) = await at_the_ehr(sides)
        assert (one["status"], one["criteria"], one["channel"]["type"]) == ("active", "Appointment?", "rest-hook")
        assert "payload" not in one["channel"], "nothing is to be sent but that something changed"
        kept = await row(sides)
        secret = bearer_of(one).removeprefix("Bearer ")
        assert hash_of(secret) in kept["secret_hash"]
        assert secret.encode() not in b"".join(kept["secret_hash"]), "only its hash is kept"
        assert one["id"].encode() not in kept["theirs"], "their id is sealed"


async def test_nobody_wakes_us_without_the_secret(listening: Inside) -> None:
    async with woken(listening) as sides:
        (one,) = await at_the_ehr(sides)
        right = bearer_of(one)
        turned_away = [
            await knock(sides, None), await knock(sides, "Bearer wrong"), await knock(sides, right + "0"), await knock(sides, "Bearer"),
            await knock(sides, right, uuid4()), await knock(sides, right, "no-id"), await knock(sides, right.replace("Bearer", "Basic")),
        ]  # fmt: skip
        assert [each.status_code for each in turned_away] == [401] * len(turned_away)
        assert {each.json()["code"] for each in turned_away} == {"kernel.unauthenticated"}
        assert (await row(sides))["pull_at"] is None
        assert (await standing(sides) or EhrSubscription()).woken_at is None
        assert (await knock(sides, right, body=b"x" * 20_000)).status_code == 413
        assert (await knock(sides, right, body=b"not looked at")).status_code == 204


async def test_a_flood_is_one_pull_and_one_after_it(listening: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    async with woken(listening) as sides:
        (one,) = await at_the_ehr(sides)
        began, go_on, pulls = asyncio.Event(), asyncio.Event(), []

        async def slow(work: Any) -> str:
            pulls.append(work.connection.id)
            began.set()
            await go_on.wait()
            return ""

        monkeypatch.setattr(pulling, "_pulled", slow)
        assert (await knock(sides, bearer_of(one))).status_code == 204
        await began.wait()
        flood = await asyncio.gather(*(knock(sides, bearer_of(one)) for _ in range(FLOOD)))
        assert {each.status_code for each in flood} == {204}
        assert pulls == [sides.connection.id], "one at a time"
        go_on.set()
        await until_active(sides)
        assert pulls == [sides.connection.id] * 2


async def test_a_pull_that_goes_wrong_is_owed_again_as_if_nobody_woke_us(listening: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    async with woken(listening) as sides:

        async def away(_: Any) -> str:
            return Unavailable.code

        monkeypatch.setattr(pulling, "_pulled", away)
        assert (await sides.set(pull_minutes=15).pull()).ended_by == Unavailable.code
        owed = (await row(sides))["pull_at"]
        assert timedelta(minutes=14) < owed - datetime.now(UTC) < timedelta(minutes=16)


@pytest.mark.parametrize(("lost", "fault"), [("deleted", "ehr.subscription_gone"), ("off", "ehr.subscription_off")])
async def test_one_that_is_lost_is_made_anew(listening: Inside, lost: str, fault: str) -> None:
    async with woken(listening) as sides:
        (one,) = await at_the_ehr(sides)
        if lost == "deleted":
            assert (await sides.http.delete(f"{sides.base}/Subscription/{one['id']}")).status_code == 204
        else:
            await rewritten(sides, status="off")
        await sides.patch((await sides.theirs())[0], "/status", "cancelled")
        assert await sides.ours("cancelled") == [], "nobody told us"
        await look(sides)
        await until(lambda: sides.ours("cancelled"))
        (new,) = await at_the_ehr(sides)
        assert (new["id"] != one["id"], new["status"]) == (True, "active")
        assert (await until_active(sides)).fault == fault
        await sides.patch((await sides.theirs())[1], "/status", "cancelled")
        await until(lambda: _as_many(sides, 2))


async def _as_many(sides: Sides, count: int) -> bool:
    return len(await sides.ours("cancelled")) == count


async def test_one_that_the_ehr_gave_up_is_made_anew(listening: Inside) -> None:
    """The EHR could not reach us, and says so (`error`)."""
    async with woken(listening) as sides:
        (one,) = await at_the_ehr(sides)
        channel = one["channel"] | {"header": ["Authorization: Bearer old"]}
        await rewritten(sides, channel=channel)
        await sides.patch((await sides.theirs())[0], "/status", "cancelled")

        async def is_in_error() -> bool:
            return [each["status"] for each in await at_the_ehr(sides)] == ["error"]

        await until(is_in_error)
        await look(sides)
        await until(lambda: sides.ours("cancelled"))
        assert (await until_active(sides)).fault == "ehr.subscription_error"


async def test_it_is_renewed_before_its_end_with_another_secret(listening: Inside) -> None:
    async with woken(listening) as sides:
        (one,) = await at_the_ehr(sides)
        soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
        await rewritten(sides, end=soon)
        await look(sides)

        async def is_renewed() -> bool:
            (now,) = await at_the_ehr(sides)
            return datetime.fromisoformat(now["end"]) > datetime.now(UTC) + timedelta(hours=40)

        await until(is_renewed)
        (renewed,) = await at_the_ehr(sides)
        assert renewed["id"] == one["id"]
        assert bearer_of(renewed) != bearer_of(one)
        assert [(await knock(sides, bearer_of(each))).status_code for each in (renewed, one)] == [204, 204], "one may be on its way yet"
        assert (await until_active(sides)).fault is None
        for _ in range(2):
            await rewritten(sides, end=soon)
            await look(sides)
            await until(is_renewed)
        assert (await knock(sides, bearer_of(one))).status_code == 401


async def test_an_answer_that_was_lost_makes_no_second_one(listening: Inside) -> None:
    async with woken(listening) as sides:
        (one,) = await at_the_ehr(sides)
        await look(sides, FORGET)

        async def is_known() -> bool:
            return (await row(sides))["theirs"] is not None

        await until(is_known)
        assert [each["id"] for each in await at_the_ehr(sides)] == [one["id"]]


async def test_leaving_the_mode_takes_it_away(listening: Inside) -> None:
    async with woken(listening) as sides:
        (one,) = await at_the_ehr(sides)
        await mode(sides, "polling")
        assert await at_the_ehr(sides) == []
        assert await standing(sides) is None
        assert (await knock(sides, bearer_of(one))).status_code == 401
        await mode(sides, "polling")


async def test_an_ehr_that_is_away_is_asked_to_take_it_away_until_it_has(listening: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    async with woken(listening) as sides:
        (one,) = await at_the_ehr(sides)

        async def away(*_: Any, **__: Any) -> Any:
            raise Unavailable

        with monkeypatch.context() as patched:
            patched.setattr(Ehr, "ask", away)
            await mode(sides, "polling")
        assert (await standing(sides) or EhrSubscription()).fault == Unavailable.code
        assert (await knock(sides, bearer_of(one))).status_code == 401, "it wakes nobody any more"
        await look(sides)

        async def is_gone() -> bool:
            return await standing(sides) is None

        await until(is_gone)
        assert await at_the_ehr(sides) == []


@pytest.mark.parametrize("profile", ["epic", "oracle"])
async def test_whoever_offers_none_is_not_subscribed_to(listening: Inside, profile: ProfileName) -> None:
    async with both_sides(listening, profile) as sides:
        with pytest.raises(ModeNotOffered):
            await mode(sides, "subscription")
        assert (await connection_of(sides.ctx, sides.connection.id)).mode == "polling"


async def test_an_ehr_must_know_where_to_reach_us(listening: Inside) -> None:
    async with both_sides(listening, "r4") as sides:
        with pytest.raises(NoPublicAddress):
            await mode(sides.set(public_url=""), "subscription")


async def test_one_that_wakes_us_is_polled_more_rarely_until_it_does_not(listening: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    async with woken(listening) as sides:
        now = sides.ctx.clock.now()
        await sides.ctx.db.execute(PULLED, sides.ctx.actor.organization_id, sides.connection.id, now - timedelta(hours=1))
        named = (sides.ctx.actor.organization_id, sides.connection.name)

        async def is_due(net: timedelta) -> bool:
            base = listening.system.context("ehr")
            return named in await store.connections_due(base.db, now - timedelta(minutes=15), now - net, now, 1000)

        assert [await is_due(timedelta(hours=2)), await is_due(timedelta(minutes=50))] == [False, True]
        await rewritten(sides, status="off")

        async def refuses(*_: Any) -> str:
            raise NotUnderstood

        monkeypatch.setattr(Hook, "put", refuses)
        await look(sides)

        async def is_lost() -> bool:
            return (await standing(sides) or EhrSubscription()).fault == NotUnderstood.code

        await until(is_lost)
        assert await is_due(timedelta(hours=2))


async def test_a_connection_that_is_stopped_asks_and_tells_nothing_until_it_is_resumed(listening: Inside) -> None:
    async with woken(listening) as sides:
        patient_id, patient, free = await expected(sides)
        place = f"/api/v1/ehr/connections/{sides.connection.id}"
        assert ok(await sides.whole.request("administrator", "POST", f"{place}/stop")) == {"dropped": 0}
        assert await at_the_ehr(sides) == []
        booked = ok(await sides.clinic.book(patient_id, free[-1]), 201)
        with pytest.raises(ConnectionStopped):
            await sides.pull()
        with pytest.raises(ConnectionStopped):
            await push(sides.ctx, sides.connection.name, UUID(booked["id"]))
        assert await of_ours(sides, patient, booked["id"]) == []
        linked = (await sides.reconcile()).linked
        assert linked["Appointment"] > 0
        assert (await stop_connection(sides.ctx, sides.connection.id)).dropped == 0, "it was stopped already"
        stopped = (await connection_of(sides.ctx, sides.connection.id)).stopped_at
        assert stopped is not None
        assert ok(await sides.whole.request("administrator", "POST", f"{place}/resume"))["count"] >= 1
        await until(lambda: of_ours(sides, patient, booked["id"]))
        await until_active(sides)
        assert (await sides.reconcile()).linked["Appointment"] == linked["Appointment"] + 1
        assert (await resume_connection(sides.ctx, sides.connection.id)).count == 0, "it goes on already"


async def test_what_was_not_told_when_it_was_stopped_is_told_when_it_is_resumed(listening: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    async with both_sides(listening, "r4") as sides:
        patient_id, patient, free = await expected(sides)

        async def away(*_: Any, **__: Any) -> Any:
            raise Unavailable

        with monkeypatch.context() as patched:
            patched.setattr(Ehr, "ask", away)
            booked = ok(await sides.clinic.book(patient_id, free[-1]), 201)

            async def waits() -> bool:
                return bool((await list_untold(sides.ctx, sides.connection.id)).items)

            await until(waits)
            assert (await stop_connection(sides.ctx, sides.connection.id)).dropped == 1
        assert (await list_untold(sides.ctx, sides.connection.id)).items == ()
        assert await of_ours(sides, patient, booked["id"]) == []
        assert (await resume_connection(sides.ctx, sides.connection.id)).count >= 1
        await until(lambda: of_ours(sides, patient, booked["id"]))


async def test_a_pull_that_goes_on_ends_when_the_connection_is_stopped(listening: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    async with both_sides(listening, "r4") as sides:
        await sides.pull()
        asked: list[UUID] = []

        async def stopped(_: Any, __: str) -> None:
            await stop_connection(sides.ctx, sides.connection.id)

        async def who_pays(_: Any, __: Any, patient_id: UUID, zone: Any) -> None:
            assert zone
            asked.append(patient_id)

        monkeypatch.setattr(pulling, "see_coverage", who_pays)
        assert (await sides.set(coverage_hours=0).pull()).ended_by is None
        assert asked != []
        asked.clear()
        monkeypatch.setattr(pulling, "_visits_of", stopped)
        await sides.set(coverage_hours=0).pull()
        assert asked == []


async def test_another_hospital_has_no_such_connection(listening: Inside) -> None:
    async with both_sides(listening, "r4") as sides:
        other = sides.ctx.acting(listening.system.tokens.actor("administrator", "tester", uuid4()))
        for act in (stop_connection, resume_connection):
            with pytest.raises(UnknownConnection):
                await act(other, sides.connection.id)
        with pytest.raises(UnknownConnection):
            await set_mode(other, sides.connection.id, SetMode(mode="subscription"))
        for step, body in (("stop", None), ("resume", None)):
            refused = await sides.whole.request("scheduler", "POST", f"/api/v1/ehr/connections/{sides.connection.id}/{step}", json=body)
            assert refused.status_code == 403, "a scheduler looks, and manages nothing"


async def test_their_id_is_sealed_anew(listening: Inside) -> None:
    async with woken(listening) as sides:
        async with sides.ctx.db.transaction() as tx:
            assert await store.reseal_subscriptions(tx, await sides.ctx.cipher(), UUID(int=0), 10) == []
        assert await reseal_subscriptions(sides.ctx, UUID(int=0), 10) == []
