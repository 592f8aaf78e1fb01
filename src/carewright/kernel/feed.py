"""The feed: what becomes true, told to everybody who watches it in this process.

One reader follows the log (`outbox.py`); each fact is written as text once for all who may see it, by organization, site and kind. An
event's id is where its fact lies in the log, so whoever comes again goes on exactly behind it. A place that cannot be gone on from is
answered by `reload`: take a new snapshot. A viewer who does not keep up is sent that too, and holds nobody's memory.

Ids are places of facts, and never the end of the log as it was read: after a crash PostgreSQL gives out transaction ids again that left
nothing durable, but none below a fact that somebody has seen.
"""

import asyncio
from collections import Counter as Counted
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from prometheus_client import Counter, Gauge

from carewright.kernel import outbox
from carewright.kernel.authz import Actor, mark_of
from carewright.kernel.clock import Clock
from carewright.kernel.db import Database, Session
from carewright.kernel.errors import Forbidden, Refusal, TooManyRequests, Unauthenticated, Unavailable
from carewright.kernel.events import Delivered
from carewright.kernel.server_sent import BEAT, ENDED, RELOAD, Place, event
from carewright.kernel.shown import Form, Shown
from carewright.kernel.wake import Wake

POLL_SECONDS = 0.5
EVENTS_MAX = 1000
KEPT_MAX = 10_000
"""So many facts are kept for whoever comes back; about 3 MB."""
BACK_MAX = timedelta(hours=1)
"""Whoever was away for longer takes a new snapshot: it is less to send."""
BEAT_SECONDS = 15.0
WAITING_BYTES_MAX = 64 * 1024
"""What is kept for a viewer who does not keep up: some 300 facts."""
VIEWERS_MAX = 5_000
VIEWERS_PER_ACTOR_MAX = 20
LOOK_SECONDS = 1.0
"""How often the viewers' sessions are asked about: one that ended is noticed within two seconds, as everywhere."""
UNCERTAIN_LOOKS_MAX = 3
START_SECONDS_MAX = 10.0
FULL_RETRY_SECONDS = 30
LAG = Gauge("carewright_feed_lag_seconds", "Age of the last fact that was told to viewers.")
VIEWERS = Gauge("carewright_feed_viewers", "Streams that are open.")
TOLD = Counter("carewright_feed_facts_total", "Facts read for viewers, by kind.", ["kind"])
OVER = Counter("carewright_feed_over_total", "Streams that ended, by reason.", ["reason"])
Standing = Callable[[UUID, tuple[UUID, ...]], Awaitable[Mapping[UUID, str]]]
"""Of these sessions of an organization, those that live, and what their actors may, as `authz.mark_of` writes it."""
Key = tuple[UUID, UUID, str]
"""Organization, site, kind."""


class Told(NamedTuple):
    """A fact as it goes out."""

    place: Place
    key: Key
    text: bytes


class Viewer:
    """Somebody who watches: what waits to be sent to them, and whether it is over."""

    __slots__ = ("_bell", "_feed", "_last", "_size", "_waiting", "after", "keys", "mark", "session_id", "whose")

    def __init__(self, feed: "Feed", actor: Actor, session_id: UUID, keys: frozenset[Key], after: Place) -> None:
        self._feed, self.keys, self.after = feed, keys, after
        self.session_id, self.mark = session_id, mark_of(actor)
        self.whose = (actor.organization_id, actor.subject)
        self._waiting: list[bytes] = []
        self._size = 0
        self._bell = asyncio.Event()
        self._last: bytes | None = None

    def tell(self, told: Told) -> None:
        """Have a fact sent, unless it is none that came after what they have seen."""
        if self._last is None and told.place > self.after:
            self._waiting.append(told.text)
            self._size += len(told.text)
            if self._size > WAITING_BYTES_MAX:
                self.reload("behind")
            self._bell.set()

    def beat(self) -> None:
        """Have them told that they have seen everything up to now."""
        self._waiting.append(event(BEAT, {}, max(self._feed.newest, self.after)))
        self._bell.set()

    def reload(self, reason: str) -> None:
        """What waits is not sent any more: the viewer takes a new snapshot."""
        self._waiting.clear()
        self.end(event(RELOAD, {"reason": reason}), reason)

    def end(self, last: bytes, reason: str) -> None:
        """Send this after what waits, and nothing more."""
        if self._last is None:
            OVER.labels(reason).inc()
            self._last = last
            self._bell.set()

    async def next(self) -> bytes:
        """What is to be sent now: facts, a sign of life after a while without any, or nothing at the end."""
        if not self._waiting and self._last is None:
            self._bell.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._bell.wait()
        if not self._waiting and self._last is None:
            self.beat()
        chunk = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        if not chunk and self._last is not None:
            chunk, self._last = self._last, b""
        return chunk

    def leave(self) -> None:
        """They are gone, or it is over."""
        self._feed.forget(self)


class Feed:
    """The viewers of one process, and the reader that they share. It reads from the first viewer on.

    `connect` opens the database as the system sees it. `holds` says whether a client of an organization is held back.
    """

    def __init__(
        self, shown: Sequence[Shown], connect: Callable[[], Awaitable[Database]], wake: Wake, clock: Clock,
        standing: Standing, holds: Callable[[UUID, str], bool],
    ) -> None:  # fmt: skip
        self._shown = {each.kind: each for each in shown}
        self._forms: dict[str, list[tuple[str, Form]]] = {}
        for each in shown:
            for fact, form in each.forms.items():
                self._forms.setdefault(fact.topic, []).append((each.kind, form))
        self._connect, self._wake, self._clock, self._standing, self._holds = connect, wake, clock, standing, holds
        self._db: Database | None = None
        self._wanted, self._ready = asyncio.Event(), asyncio.Event()
        self._reaching = asyncio.Lock()
        self._kept: deque[Told] = deque()
        self._kept_from: Place = (0, 0)
        self._read_to: Place = (0, 0)
        self.newest: Place = (0, 0)
        """The last fact that was read: whoever has nothing waiting has seen everything up to here."""
        self._viewers: dict[Key, set[Viewer]] = {}
        self._all: set[Viewer] = set()
        self._by_actor: Counted[tuple[UUID, str]] = Counted()
        self._over = False

    async def place(self) -> Place:
        """Where a snapshot that is read after this call may be gone on from: whatever lies before this place is in it."""
        return await outbox.last_place(await self._opened())

    async def watch(self, actor: Actor, site_ids: Sequence[UUID], kinds: Sequence[str], after: Place | None) -> Viewer:
        """A viewer of facts of these kinds at these sites, all kinds that there are where none is named, that lie behind `after`.

        Raises `Forbidden` for a kind or a site that is not theirs to see, `TooManyRequests`, `Unauthenticated` without a session.
        """
        if actor.session_id is None:
            raise Unauthenticated
        if not all(map(actor.works_at, site_ids)):
            raise Forbidden("You can watch your own sites only.")
        keys = frozenset((actor.organization_id, site_id, kind) for kind in self._seen_by(actor, kinds) for site_id in site_ids)
        viewer = Viewer(self, actor, actor.session_id, keys, after or (0, 0))
        await self._opened()
        is_known = after is not None and await self._reaches(after)
        self._ensure_room(viewer)
        self._enter(viewer)
        if is_known:
            for told in self._missed(viewer):
                viewer.tell(told)
            viewer.beat()
        else:
            viewer.reload("unknown")
        return viewer

    def forget(self, viewer: Viewer) -> None:
        """Tell this viewer nothing more."""
        if viewer in self._all:
            self._all.discard(viewer)
            VIEWERS.dec()
            self._by_actor[viewer.whose] -= 1
            if not self._by_actor[viewer.whose]:
                del self._by_actor[viewer.whose]
            for key in viewer.keys:
                self._viewers[key].discard(viewer)
                if not self._viewers[key]:
                    del self._viewers[key]

    def end(self) -> None:
        """The process leaves: every stream ends now, and whoever comes again goes on from where they were, elsewhere."""
        self._over = True
        for viewer in self._all:
            viewer.end(b"", "leaving")

    async def follow(self) -> None:
        """Read and tell from the first viewer on, until cancelled."""
        await self._wanted.wait()
        db = await self._connected()
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._read(db))
                both.create_task(self._look())
        finally:
            await db.close()

    async def begin(self, db: Database) -> None:
        """Tell what becomes true from now on."""
        self._kept_from = self._read_to = self.newest = await outbox.last_place(db)
        self._db = db
        self._ready.set()

    async def catch_up(self, session: Session) -> None:
        """Read and tell what has become true since."""
        more = True
        while more:
            end = await outbox.end_of_log(session)
            events = await outbox.read_between(session, self._read_to, end, EVENTS_MAX, list(self._forms))
            for delivered in events:
                self._tell(delivered)
            more = len(events) == EVENTS_MAX
            self._read_to = events[-1].place() if more else end
            if events:
                LAG.set((self._clock.now() - events[-1].occurred_at).total_seconds())

    async def look(self) -> None:
        """Ask whether the viewers are still signed in as who they were. Raises what the asking raises."""
        for organization_id, group in groupby(sorted(self._all, key=_organization_of), _organization_of):
            viewers = tuple(group)
            standing = await self._standing(organization_id, tuple({each.session_id for each in viewers}))
            for each in viewers:
                self._judge(each, standing.get(each.session_id))

    async def _connected(self) -> Database:
        while True:
            try:
                return await self._connect()
            except Unavailable:
                await asyncio.sleep(POLL_SECONDS)

    async def _opened(self) -> Database:
        self._wanted.set()
        try:
            async with asyncio.timeout(START_SECONDS_MAX):
                await self._ready.wait()
        except TimeoutError as fault:
            raise Unavailable from fault
        if self._db is None or self._over:
            raise Unavailable
        return self._db

    async def _read(self, db: Database) -> None:
        """Follow the log. After a lost connection read on from the last fact: what lay behind it may lie elsewhere after a crash."""
        while True:
            try:
                if not self._ready.is_set():
                    await self.begin(db)
                async with db.reserved() as session:
                    self._read_to = self.newest
                    while True:
                        seen = self._wake.rung
                        await self.catch_up(session)
                        await self._wake.wait(POLL_SECONDS, seen)
            except Unavailable:
                await asyncio.sleep(POLL_SECONDS)

    def _tell(self, delivered: Delivered) -> None:
        for told in self._told(delivered):
            TOLD.labels(told.key[2]).inc()
            self._kept.append(told)
            for viewer in self._viewers.get(told.key, ()):
                viewer.tell(told)
        self.newest = delivered.place()
        while len(self._kept) > KEPT_MAX:
            self._kept_from = self._kept.popleft().place

    def _told(self, delivered: Delivered) -> list[Told]:
        """The fact as text, once for each kind that is made of it and each site that it tells something."""
        place, fact = delivered.place(), delivered.fact()
        return [
            Told(place, (delivered.organization_id, site_id, kind), event(kind, fields, place))
            for kind, form in self._forms[delivered.topic]
            for site_id, fields in form(fact)
        ]

    def _missed(self, viewer: Viewer) -> list[Told]:
        """What was told since the viewer's place, of what they see, oldest first."""
        missed: list[Told] = []
        for told in reversed(self._kept):
            if told.place <= viewer.after:
                break
            if told.key in viewer.keys:
                missed.append(told)
        return missed[::-1]

    async def _reaches(self, after: Place) -> bool:
        """Whether everything behind `after` is kept here, or yet to come: reads back as far as it is worth it."""
        if self._kept_from <= after <= self.newest:
            return True
        async with self._reaching:
            if self._kept_from <= after <= self.newest:
                return True
            db = await self._opened()
            occurred_at = await outbox.occurred_at(db, after)
            if occurred_at is None or self._clock.now() - occurred_at > BACK_MAX:
                return False
            return after >= self._kept_from or await self._read_back(db, after)

    async def _read_back(self, db: Database, after: Place) -> bool:
        """Keep what lies between `after` and what is kept already; False where that is too much."""
        behind, room = self._kept_from, KEPT_MAX - len(self._kept)
        events = await outbox.read_between(db, after, (behind[0] + 1, 0), room + 1, list(self._forms))
        if len(events) > room or self._kept_from != behind:
            return False
        told = [each for delivered in events if delivered.place() <= behind for each in self._told(delivered)]
        self._kept.extendleft(reversed(told))
        self._kept_from = after
        return True

    def _seen_by(self, actor: Actor, kinds: Sequence[str]) -> list[str]:
        """The kinds that are told. Raises `Forbidden` where one of `kinds` is not theirs, or none at all is."""
        seen = [kind for kind, shown in self._shown.items() if shown.permissions <= actor.permissions]
        if not seen or not set(kinds) <= set(seen):
            raise Forbidden("You may not watch what happens here.")
        return list(kinds) or seen

    def _ensure_room(self, viewer: Viewer) -> None:
        if len(self._all) >= VIEWERS_MAX or self._by_actor[viewer.whose] >= VIEWERS_PER_ACTOR_MAX:
            raise TooManyRequests(retry_after_seconds=FULL_RETRY_SECONDS)

    def _enter(self, viewer: Viewer) -> None:
        self._all.add(viewer)
        VIEWERS.inc()
        self._by_actor[viewer.whose] += 1
        for key in viewer.keys:
            self._viewers.setdefault(key, set()).add(viewer)

    async def _look(self) -> None:
        """Look every second. While nobody can say, what was known stays for a few looks, and then every stream ends."""
        uncertain = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
                uncertain = 0
            except Refusal:
                uncertain += 1
                for each in self._all if uncertain >= UNCERTAIN_LOOKS_MAX else ():
                    each.end(b"", "uncertain")

    def _judge(self, viewer: Viewer, mark: str | None) -> None:
        """Go on only with whoever is who they were: what they may see is decided once, when they begin to watch."""
        if mark is None or self._holds(*viewer.whose):
            viewer.end(event(ENDED, {}), "ended")
        elif mark != viewer.mark:
            viewer.reload("changed")


def _organization_of(viewer: Viewer) -> UUID:
    return viewer.whose[0]
