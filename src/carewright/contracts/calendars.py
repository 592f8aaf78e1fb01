"""Calendars' language: feeds that other programs read appointments from (iCalendar, RFC 5545), each at a private address.

Whoever knows a feed's address reads it without signing in. It is told once, and kept as a hash.
"""

from typing import Protocol
from uuid import UUID

import msgspec

from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.values import Day, Instant


class MakeFeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A feed of one calendar, or, without `schedule_id`, of the patient's own appointments."""

    schedule_id: UUID | None = None


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """`fetched_on` is the last day (UTC) on which anybody read it; None for never."""

    id: UUID
    schedule_id: UUID | None = None
    made_at: Instant
    fetched_on: Day | None = None


class MadeFeed(msgspec.Struct, frozen=True, kw_only=True):
    """`path` is the feed's address below the system's own. A repeat of the call is answered without it."""

    feed: Feed
    path: str = ""


class FeedsList(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Feed, ...]


class UnknownFeed(Refusal):
    code = "calendars.unknown_feed"
    status = 404
    issue = "not-found"
    title = "There is no calendar at this address, or not any more."


class TooManyFeeds(Refusal):
    code = "calendars.too_many_feeds"
    status = 422
    issue = "too-costly"
    title = "You have as many calendar addresses as one person may have. Turn one off first."


class FeedPatientGone(Refusal):
    code = "calendars.patient_gone"
    status = 409
    issue = "conflict"
    title = "This patient's record was erased, so nothing more is made for it."


class UnknownSource(Refusal):
    code = "calendars.unknown_source"
    status = 404
    issue = "not-found"
    title = "We read no calendar under this id."


class CalendarNotUnderstood(Refusal):
    """`reason` is a word of ours, `line` where it stands: what the calendar says is nobody's business here."""

    code = "calendars.not_understood"
    status = 422
    issue = "invalid"
    title = "This is no calendar that we can read whole, so nothing was changed."


class CalendarNotFetched(Refusal):
    code = "calendars.not_fetched"
    status = 502
    issue = "transient"
    title = "No calendar came from that address."


class CalendarFeeds(Protocol):
    """What the portal may ask of calendars, in the patient's name."""

    async def make_feed(self, actor: Actor, command: MakeFeed, idempotency_key: str | None = None) -> MadeFeed: ...

    async def list_feeds(self, actor: Actor) -> FeedsList: ...

    async def end_feed(self, actor: Actor, feed_id: UUID) -> Feed: ...
