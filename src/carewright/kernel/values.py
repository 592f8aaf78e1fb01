"""Value types with limits: a limit on everything, stated once and shown in the OpenAPI document."""

from datetime import UTC, date, datetime
from typing import Annotated

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True, description="An instant with its offset, for example 2026-11-22T09:30:00Z.")]
Day = Annotated[date, msgspec.Meta(description="A calendar date.")]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Language = Annotated[str, msgspec.Meta(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
ShortText = Annotated[str, msgspec.Meta(max_length=200)]
LongText = Annotated[str, msgspec.Meta(max_length=2000)]
Reason = Annotated[str, msgspec.Meta(min_length=3, max_length=500)]
Secret = Annotated[str, msgspec.Meta(min_length=22, max_length=200, pattern=r"^[A-Za-z0-9_-]+$")]
"""What a browser keeps and nobody else knows: 128 random bits at least, in base64url or hex."""
Cursor = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_.~-]+$")]
Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]
Offset = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Version = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
MinuteOfDay = Annotated[int, msgspec.Meta(ge=0, le=1440)]
Weekday = Annotated[int, msgspec.Meta(ge=0, le=6)]

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def utc(instant: datetime) -> datetime:
    """The same instant in UTC, kept within 1900 to 2200 so that no arithmetic on it can overflow."""
    if instant.year < EARLIEST.year:
        return EARLIEST
    if instant.year >= LATEST.year:
        return LATEST
    return instant.astimezone(UTC)
