"""The feed tells every fact once and in order to whoever watches, however the writers' commits fall and wherever a viewer begins."""

from collections.abc import Iterable, Mapping
from uuid import UUID

import pytest
from msgspec.structs import replace

from carewright.contracts.scheduling import ScheduleChanged
from carewright.kernel import feed as kernel_feed
from carewright.kernel.authz import Actor, mark_of
from carewright.kernel.context import Context
from carewright.kernel.db import Database
from carewright.kernel.errors import Forbidden, TooManyRequests, Unauthenticated, Unavailable
from carewright.kernel.feed import Feed, Viewer
from carewright.kernel.shown import Shown
from tests.samples import known_id
from tests.servers import Contexts
from tests.store.test_kernel_outbox import Writer, orders, publish

SITE, SESSION = known_id(90), known_id(91)
PERMISSION = "scheduling.appointment.read"
KIND = "calendar"
ENDED = b"event: ended\ndata: \n\n"
UNKNOWN = b"event: reload\ndata: reason=unknown\n\n"
BEHIND = b"event: reload\ndata: reason=behind\n\n"


def shown_of(fact: ScheduleChanged) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    yield SITE, {"number": str(fact.calendar_version - 1)}


class Told:
    """A feed of calendars, and what the sessions are said to be worth."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.standing: dict[UUID, str] = {}
        self.held: set[tuple[UUID, str]] = set()
        shown = Shown(KIND, frozenset({PERMISSION}), {ScheduleChanged: shown_of})
        self.feed = Feed([shown], self._connect, ctx.wake, ctx.clock, self._stands, lambda *who: who in self.held)

    async def _connect(self) -> Database:
        return self.ctx.db

    async def _stands(self, _: UUID, session_ids: tuple[UUID, ...]) -> Mapping[UUID, str]:
        return {each: mark for each, mark in self.standing.items() if each in session_ids}

    async def watch(self, after: tuple[int, int] | None, actor: Actor | None = None) -> Viewer:
        return await self.feed.watch(actor or watcher(self.ctx), [SITE], (), after)

    async def catch_up(self) -> None:
        await self.feed.catch_up(self.ctx.db)


def watcher(ctx: Context, **more: object) -> Actor:
    return replace(ctx.actor, permissions=frozenset({PERMISSION}), session_id=SESSION, **more)


@pytest.fixture
async def told(context: Contexts) -> Told:
    made = Told(await context("scheduling"))
    await made.feed.begin(made.ctx.db)
    return made


async def said(viewer: Viewer) -> list[int]:
    """The numbers of the facts that wait for a viewer, in order."""
    text = (await viewer.next()).decode()
    return [int(line.partition("number=")[2]) for line in text.splitlines() if "number=" in line]


async def write(ctx: Context, *numbers: int) -> None:
    for number in numbers:
        async with ctx.db.transaction() as tx:
            await publish(ctx, tx, number)


@pytest.mark.parametrize("writers", [2, 3])
async def test_no_fact_is_skipped_and_none_comes_twice_in_any_order_of_commits(told: Told, writers: int) -> None:
    for order in orders(writers):
        place = await told.feed.place()
        from_the_start, half_way = await told.watch(place), None
        writing = [Writer(told.ctx, number) for number in range(writers)]
        for step in order:
            await (writing[int(step[1])].write if step[0] == "w" else writing[int(step[1])].commit)()
            await told.catch_up()
            half_way = half_way or await told.watch(place)
        assert half_way is not None
        coming_again = await told.watch(place)
        for viewer in (from_the_start, half_way, coming_again):
            assert sorted(await said(viewer)) == list(range(writers)), order
            viewer.leave()


async def test_a_snapshot_with_its_place_read_first_misses_nothing_that_is_committed_around_it(told: Told) -> None:
    """A writer that began earlier commits between the reading of the place and of the data: it is in both, or told."""
    early = Writer(told.ctx, 1)
    await early.write()
    await write(told.ctx, 2)
    place = await told.feed.place()
    await early.commit()
    await write(told.ctx, 3)
    await told.catch_up()
    assert set(await said(await told.watch(place))) >= {1, 3}


async def test_another_process_reads_back_as_far_as_a_viewer_was(told: Told) -> None:
    await write(told.ctx, 0)
    place = await told.feed.place()
    await write(told.ctx, 1, 2, 3)
    restarted = Told(told.ctx)
    await restarted.feed.begin(told.ctx.db)
    await write(told.ctx, 4)
    await restarted.catch_up()
    assert await said(await restarted.watch(place)) == [1, 2, 3, 4]
    assert await said(await restarted.watch(place)) == [1, 2, 3, 4]


async def test_a_viewer_may_be_further_on_than_this_process(told: Told) -> None:
    await write(told.ctx, 1)
    place = await told.feed.place()
    viewer = await told.watch(place)
    await told.catch_up()
    await write(told.ctx, 2)
    await told.catch_up()
    assert await said(viewer) == [2]


async def test_places_that_cannot_be_gone_on_from_ask_for_a_new_snapshot(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    await write(told.ctx, 1)
    place = await told.feed.place()
    for unknown in (None, (place[0], place[1] + 1_000_000), (2**62, 1)):
        viewer = await told.watch(unknown)
        assert [await viewer.next(), await viewer.next()] == [UNKNOWN, b""]
    monkeypatch.setattr(kernel_feed, "KEPT_MAX", 2)
    await write(told.ctx, 2, 3, 4)
    restarted = Told(told.ctx)
    await restarted.feed.begin(told.ctx.db)
    assert await (await restarted.watch(place)).next() == UNKNOWN


async def test_who_was_away_for_longer_than_an_hour_takes_a_new_snapshot(told: Told, context: Contexts) -> None:
    await write(told.ctx, 1)
    place = await told.feed.place()
    restarted = Told(told.ctx)
    await write(told.ctx, 2)
    await restarted.feed.begin(told.ctx.db)
    context.clock.advance(hours=1, seconds=1)
    assert await (await restarted.watch(place)).next() == UNKNOWN


async def test_who_does_not_keep_up_is_told_to_reload_and_keeps_nothing(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_feed, "WAITING_BYTES_MAX", 1000)
    slow, quick = await told.watch(await told.feed.place()), await told.watch(await told.feed.place())
    for number in range(40):
        await write(told.ctx, number)
        await told.catch_up()
        assert await said(quick) == [number]
    assert [await slow.next(), await slow.next()] == [BEHIND, b""]


async def test_what_is_forgotten_here_is_read_again(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """More facts than are kept: the oldest go, and whoever comes back from before them is sent for a new snapshot."""
    monkeypatch.setattr(kernel_feed, "KEPT_MAX", 5)
    place = await told.feed.place()
    await write(told.ctx, *range(7))
    await told.catch_up()
    assert await (await told.watch(place)).next() == UNKNOWN


async def test_a_session_that_ended_or_changed_ends_the_stream(told: Told) -> None:
    same, gone, promoted, held = (replace(watcher(told.ctx), session_id=known_id(number), subject=f"s{number}") for number in range(4))
    told.standing = {known_id(0): mark_of(same), known_id(2): mark_of(replace(promoted, role="nurse")), known_id(3): mark_of(held)}
    told.held = {(held.organization_id, held.subject)}
    viewers = [await told.watch(await told.feed.place(), each) for each in (same, gone, promoted, held)]
    for each in viewers:
        await each.next()
    await told.feed.look()
    await write(told.ctx, 1)
    await told.catch_up()
    assert await said(viewers[0]) == [1]
    assert [await each.next() for each in viewers[1:]] == [ENDED, b"event: reload\ndata: reason=changed\n\n", ENDED]


async def test_what_may_be_watched_is_decided_by_permission_and_site(told: Told) -> None:
    place = await told.feed.place()
    for actor in (watcher(told.ctx, site_ids=frozenset({known_id(1)})), replace(watcher(told.ctx), permissions=frozenset())):
        with pytest.raises(Forbidden):
            await told.watch(place, actor)
    with pytest.raises(Unauthenticated):
        await told.watch(place, replace(watcher(told.ctx), session_id=None))
    with pytest.raises(Forbidden):
        await told.feed.watch(watcher(told.ctx), [SITE], ["salary"], place)
    there = await told.watch(place, watcher(told.ctx, organization_id=known_id(77)))
    here = await told.watch(place, watcher(told.ctx, site_ids=frozenset({SITE})))
    await write(told.ctx, 1)
    await told.catch_up()
    assert (await said(here), await said(there)) == ([1], [])


async def test_there_is_room_for_so_many_streams_of_one_person(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_feed, "VIEWERS_PER_ACTOR_MAX", 2)
    place = await told.feed.place()
    first, _ = await told.watch(place), await told.watch(place)
    with pytest.raises(TooManyRequests):
        await told.watch(place)
    await told.watch(place, watcher(told.ctx, subject="somebody else"))
    first.leave()
    first.leave()
    await told.watch(place)
    with pytest.raises(TooManyRequests):
        await told.watch(place)


async def test_a_process_that_leaves_ends_every_stream_and_begins_none(told: Told) -> None:
    place = await told.feed.place()
    viewer = await told.watch(place)
    await viewer.next()
    told.feed.end()
    assert await viewer.next() == b""
    with pytest.raises(Unavailable):
        await told.watch(place)
