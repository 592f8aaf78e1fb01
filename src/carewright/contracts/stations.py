"""Access's language of stations: screens on walls and kiosks, which sign in by themselves and may do nothing but what they are for.

What FHIR calls a Device is in the directory; a station is what people look at, with a session of its own.
"""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.values import Instant, ShortText

StationKind = Literal["screen", "kiosk"]
"""Also the name of its role, and its address."""
LanguageTag = Annotated[str, Meta(pattern="^[a-z]{2,3}(-[A-Z]{2})?$")]
"""BCP 47."""
Languages = Annotated[tuple[LanguageTag, ...], Meta(min_length=1, max_length=6)]
ShownQueues = Annotated[tuple[UUID, ...], Meta(max_length=50)]


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """A screen or a kiosk of a site. It speaks `languages`, and is about the queues that are named, or all of its site.

    `code_until` is there while a code waits to be typed at it. `last_seen_at` is exact to some minutes; None where it is signed out.
    """

    id: UUID
    kind: StationKind
    name: str
    site_id: UUID
    languages: tuple[str, ...]
    queue_ids: tuple[UUID, ...] = ()
    created_at: Instant
    enrolled_at: Instant | None = None
    last_seen_at: Instant | None = None
    code_until: Instant | None = None
    retired: bool = False


class EnrolStation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: StationKind
    name: ShortText
    site_id: UUID
    languages: Languages = ("en",)
    queue_ids: ShownQueues = ()


class EnrolledStation(msgspec.Struct, frozen=True, kw_only=True):
    """`code` is shown this once: whoever types it at the station signs the station in. It serves once, for fifteen minutes."""

    station: Station
    code: str


class StationsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Station, ...]


class RedeemStationCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The code that staff were shown, typed at the station. How it is typed does not matter."""

    code: Annotated[str, Meta(min_length=1, max_length=40)]
