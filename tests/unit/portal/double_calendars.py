"""Calendar addresses, as the portal asks for them: kept in memory, each patient their own."""

from datetime import date
from uuid import UUID

from carewright.contracts.calendars import Feed, FeedsList, MadeFeed, MakeFeed, TooManyFeeds, UnknownFeed
from carewright.kernel.authz import Actor
from carewright.kernel.clock import Clock
from tests.unit.portal.double_records import numbered

MOST = 3


class DoubleCalendarFeeds:
    """Three addresses at the most; a key that was used is answered without the address."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.feeds: list[Feed] = []
        self.keys: dict[str | None, Feed] = {}

    async def make_feed(self, actor: Actor, command: MakeFeed, idempotency_key: str | None = None) -> MadeFeed:
        actor.require("calendars.feed.manage")
        assert command == MakeFeed()
        if idempotency_key in self.keys:
            return MadeFeed(feed=self.keys[idempotency_key])
        if len(self.feeds) >= MOST:
            raise TooManyFeeds
        made = Feed(id=numbered(9, len(self.keys)), made_at=self.clock.now(), fetched_on=date(2026, 11, 20) if self.feeds else None)
        self.feeds.append(made)
        self.keys[idempotency_key] = made
        return MadeFeed(feed=made, path=f"/feeds/cwf_{len(self.keys)}.ics")

    async def list_feeds(self, actor: Actor) -> FeedsList:
        actor.require("calendars.feed.manage")
        return FeedsList(items=tuple(self.feeds))

    async def end_feed(self, actor: Actor, feed_id: UUID) -> Feed:
        actor.require("calendars.feed.manage")
        for one in self.feeds:
            if one.id == feed_id:
                self.feeds.remove(one)
                return one
        raise UnknownFeed
