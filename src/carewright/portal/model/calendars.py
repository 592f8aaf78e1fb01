"""A patient's calendar addresses as they read them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from carewright.contracts.calendars import Feed
from carewright.portal.model.wall import Wall, full_date, near_date


@dataclass(frozen=True, slots=True)
class FeedView:
    """`made` and `read` are said on the hospital's wall."""

    id: UUID
    made: str
    read: str


def feed_view(one: Feed, wall: Wall, now: datetime) -> FeedView:
    made = near_date(wall.day(one.made_at), wall.day(now), wall.locale)
    read = f"Last read on {full_date(one.fetched_on, wall.locale)}" if one.fetched_on else "Not read by any program yet"
    return FeedView(one.id, f"{made} at {wall.time(one.made_at)}", read)
