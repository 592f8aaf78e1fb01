"""What an appointment was before: each change keeps what it replaces."""

from uuid import UUID

import msgspec

from carewright.kernel.values import Instant, Limit


class ListVersions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Versions of an appointment, the one of now and earlier ones: made at `since` or later, and below the version `below`."""

    appointment_id: UUID
    since: Instant | None = None
    below: int | None = None
    limit: Limit = 50
