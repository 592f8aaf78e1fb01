"""Settings of notifications."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationsSettings:
    """What a hospital may set.

    With `local_inbox`, messages to telephones and addresses stay here and are shown to everybody on one page: only for a hospital that is
    made up. `default_language` is for whoever speaks none that we write. Texts and contacts are forgotten after `text_kept_days`.
    `staff_time_zone` is the IANA zone in which notices to staff tell the time.
    """

    local_inbox: bool = False
    default_language: str = "en"
    text_kept_days: int = 30
    staff_time_zone: str = "UTC"
