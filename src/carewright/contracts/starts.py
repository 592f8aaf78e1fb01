"""When a kind of visit may start at a site, free and taken: what a hospital shows of itself without saying who is there."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import UrgencyTier
from carewright.kernel.values import Cursor, Instant, Language, Limit, MinuteOfDay, Weekday


class FindTimes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When can this visit take place? Earliest first.

    `from_at`/`until_at` bound the start; without them the search begins now and ends at the visit type's horizon.
    `earliest_minute`/`latest_minute` are minutes of the site's local day the visit must lie within; `weekdays` are 0 (Monday) to 6.
    `after` is the cursor of an earlier page. With `count` the page says how many starts there are in all.
    """

    visit_type_id: UUID
    site_id: UUID | None = None
    from_at: Instant | None = None
    until_at: Instant | None = None
    practitioner_id: UUID | None = None
    language: Language | None = None
    earliest_minute: MinuteOfDay | None = None
    latest_minute: MinuteOfDay | None = None
    weekdays: Annotated[tuple[Weekday, ...], Meta(max_length=7)] = ()
    urgency: UrgencyTier = "P2"
    limit: Limit = 50
    after: Cursor | None = None
    count: bool = False


class ListStarts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every start of a kind of visit at a site that patients may choose before `until_at`, taken ones too, by the rules for patients."""

    visit_type_id: UUID
    site_id: UUID
    until_at: Instant


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """A moment at which the visit may begin, and how many such visits could: none where all who could serve are taken.

    Where one actor could meet several requirements it may be fewer, but at least one where it is not none.
    """

    at: Instant
    free: int


class IsExpected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a patient had or has an appointment within a time, at any of these sites, or anywhere where none is named."""

    patient_id: UUID
    from_at: Instant
    until_at: Instant
    site_ids: tuple[UUID, ...] = ()
