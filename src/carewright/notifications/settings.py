"""Settings of notifications."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationsSettings:
    """What a hospital may set.

    `local_inbox_organization_id` is a hospital that is made up: its messages to telephones and addresses stay here, and everybody may read
    them on one page. No other hospital's do. `default_language` is for whoever speaks none that we write. Texts and contacts are forgotten
    after `text_kept_days`. `staff_time_zone` is the IANA zone in which notices to staff tell the time.
    """

    local_inbox_organization_id: UUID | None = None
    default_language: str = "en"
    text_kept_days: int = 30
    staff_time_zone: str = "UTC"
